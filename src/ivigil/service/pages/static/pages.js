// What the pages do beyond plain forms: send an answer at once, keep the place after a new plan, print, open a source that is folded away.
// Without this script every page still works with its buttons.
(function () {
  "use strict";

  document.addEventListener("change", function (event) {
    var field = event.target;
    if (field instanceof Element && field.hasAttribute("data-at-once") && field.form && window.htmx) { field.form.requestSubmit(); }
  });

  // A button that leads elsewhere (a file, a saved plan, another page) does so: htmx would send its form to the address of the form.
  document.addEventListener("submit", function (event) {
    if (event.submitter && event.submitter.hasAttribute("formaction")) { event.stopPropagation(); }
  }, true);

  document.addEventListener("click", function (event) {
    var button = event.target instanceof Element ? event.target.closest("[data-print]") : null;
    if (button) { window.print(); }
  });

  // The folded list of sources or questions opens when a link leads into it.
  function reveal() {
    var name = decodeURIComponent(window.location.hash.slice(1));
    var target = name ? document.getElementById(name) : null;
    for (var fold = target && target.closest("details"); fold; fold = fold.parentElement && fold.parentElement.closest("details")) { fold.open = true; }
    if (target) { target.scrollIntoView({ block: "center" }); }
  }

  function ready() {
    document.querySelectorAll("[data-print]").forEach(function (button) { button.hidden = false; });
  }

  var open = false;
  document.addEventListener("htmx:beforeSwap", function (event) {
    var more = document.getElementById("more-questions");
    open = event.detail.target.id === "plan" && more !== null && more.open;
  });

  // After a new plan the focus goes to what changed, unless the field in use is still there.
  document.addEventListener("htmx:afterSettle", function (event) {
    if (event.target.id !== "plan" && !document.getElementById("plan")) { return; }
    ready();
    var more = document.getElementById("more-questions");
    if (open && more) { more.open = true; }
    var told = document.getElementById("problems") || document.getElementById("changes");
    if (told && (document.activeElement === document.body || document.activeElement === null) && event.detail.target && event.detail.target.id === "plan") {
      told.focus({ preventScroll: true });
      var place = told.getBoundingClientRect();
      if (place.bottom < 0 || place.top > window.innerHeight) { told.scrollIntoView({ block: "nearest" }); }
    }
  });

  window.addEventListener("hashchange", reveal);
  ready();
  reveal();
}());
