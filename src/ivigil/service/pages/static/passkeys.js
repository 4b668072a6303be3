// Passkeys: asks the browser for a signature and sends it back. Without it, the password form works alone.
"use strict";
(() => {
  const says = document.getElementById("passkey-says");
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  async function asked(address, body) {
    const answer = await fetch(address, { method: "POST", credentials: "same-origin", headers: { "content-type": "application/json", accept: "application/json" }, body });
    if (!answer.ok) {
      const told = await answer.json();
      throw new Error(told.problems.map((one) => `${one.why}: ${one.remedy}`).join(" "));
    }
    return answer.status === 204 ? null : answer.json();
  }

  function described(options) {
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    for (const one of [...(options.excludeCredentials || []), ...(options.allowCredentials || [])]) one.id = bytes(one.id);
    return options;
  }

  function written(made) {
    const response = { clientDataJSON: text(made.response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (made.response[name]) response[name] = text(made.response[name]);
    }
    return { id: made.id, rawId: text(made.rawId), type: made.type, response };
  }

  function wired(id, ask, done) {
    const button = document.getElementById(id);
    if (!button || !window.PublicKeyCredential) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        const begun = await asked(button.dataset.begin, "{}");
        const made = await ask({ publicKey: described(begun.options) });
        await asked(button.dataset.finish, JSON.stringify({ token: begun.token, credential: written(made) }));
        done(button);
      } catch (error) {
        says.textContent = error.message;
        button.disabled = false;
      }
    });
  }

  wired("use-passkey", (options) => navigator.credentials.get(options), (button) => window.location.assign(button.dataset.onward));
  wired("make-passkey", (options) => navigator.credentials.create(options), () => window.location.reload());
})();
