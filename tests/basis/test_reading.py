"""The reading grade, against syllables and sentences counted by hand."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ivigil.basis.reading import grade_of, read, sentences_of, syllables, weight_of, words_of

BY_HAND = """
doctor 2, hospital 3, blood 1, infusion 3, antibody 4, antibodies 4, immune 2, system 2, vaccine 2, headache 2, breathe 1, breathing 2, breathless 2,
safely 2, careful 2, something 2, sometimes 2, people 2, little 2, needle 2, needles 2, table 2, area 3, idea 3, every 2, different 2, diet 2,
quiet 2, science 2, medicine 3, medication 4, special 2, donation 3, donated 3, wanted 2, needed 2, helped 1, stopped 1, raised 1, tired 1,
tiredness 2, doses 2, uses 2, changes 2, dishes 2, comes 1, times 1, lives 1, bruises 2, faces 2, ages 2, kidney 2, fluid 2, fever 2, urine 2,
swollen 2, being 2, going 2, seeing 2, create 2, created 3, reaction 3, serious 3, previous 3, obvious 3, period 3, usual 3, usually 4, allergy 3,
allergies 3, allergic 3, immunoglobulin 6, immunoglobulins 6, paracetamol 5, ibuprofen 4, temperature 4, diarrhoea 4, anaemia 4, rheumatism 4,
botulism 4, metabolism 5, virus 2, viruses 3, don't 1, didn't 2, isn't 2, can't 1, you're 1, it's 1, patient's 2, nurse 1, nurses 2, measles 2,
rhythm 2, eye 1, eyes 1, eyebrow 2, ear 1, hear 1, year 1, heart 1, clear 1, pneumonia 4, leukaemia 4, platelets 2, safety 2, statement 2,
agreement 3, involve 2, involved 2, mistake 2, mistakes 2, once 1, one 1, two 1, the 1, me 1, be 1, a 1, I 1, skin 1, vein 1, veins 1, plasma 2,
pregnancy 3, pregnant 2, baby 2, babies 2, child 1, children 2, steroid 2, insulin 3, diabetes 4, thyroid 2, disease 2, diseases 3, release 2,
please 1, increase 2, decrease 2, because 2, before 2, someone 2, anyone 3, everyone 3, whole 1, while 1, travel 2, holiday 3, antihistamine 5,
influenza 4, vial 2, trial 2, reliable 4, variable 4, social 2, initial 3, partial 2, essential 3, genius 3, radius 3, museum 3, video 3, stereo 3,
poet 2, poem 2, client 2, patient 2, patients 2, ancient 2, efficient 3, nutrient 3, ingredient 4, audience 3, experience 4, conscience 2, quite 1,
queue 1, unique 2, antique 2, technique 2, guess 1, guest 1, guide 1, build 1, fruit 1, suit 1, juice 1, ruin 2, bacteria 4, malaria 4, insomnia 4,
material 4, million 2, onion 2, opinion 3, union 2, region 2, religion 3, fashion 2, cushion 2, question 2, vision 2, nausea 3, react 2, reactive 3,
theatre 3, real 1, really 2, ideal 3, weak 1, bread 1, continue 3, value 2, rescue 2, tissue 2, blue 1, true 1, due 1, fuel 2, cruel 2, dual 2,
manual 3, annual 3, continuous 4, influence 3, fluent 2, language 2, squad 1, equal 2, quality 3, acquire 2, require 2, hyaluronidase 6,
subcutaneous 5, intravenous 4, aseptic 3, meningitis 4, thrombosis 3, haemolysis 4, dermatomyositis 7, neuropathy 4, polyneuropathy 6, myasthenia 5,
Kawasaki 4, syndrome 2, lupus 2, coeliac 3, aerosol 3, cooperate 4, coincidence 4, reassure 3, reuse 2, cheese 1, smiled 1, filled 1, bottle 2,
bottles 2, handled 2, settled 2, sprinkled 2, trembling 2, nestle 2, simple 2, simply 2, gentle 2, gently 2, uncle 2, muscle 2, muscles 2, vehicle 3,
article 3, capable 3, unable 3, drowsy 2, yellow 2, yes 1, yet 1, eyelid 2, player 2, layer 2, employee 3, flying 2, trying 2, playing 2, doing 2,
dying 2, lying 2, blowing 2, chewing 2, sewed 1, glued 1, died 1, tried 1, cried 1, carried 2, applied 2, allied 2, worried 2, gradual 3,
gradually 4, aches 1, headaches 2, bodies 2, dizzy 2, emergency 4, chickenpox 3, hepatitis 4, rotavirus 4, inflammation 4, transplant 2
"""
"""Words and their syllables as spoken."""
COUNTED = [(word, int(number)) for word, number in (pair.split() for pair in BY_HAND.replace("\n", " ").split(", "))]


@pytest.mark.parametrize(("word", "number"), COUNTED)
def test_syllables_are_those_spoken(word: str, number: int) -> None:
    """Everyday words, words of the ward and awkward ones."""
    assert syllables(word) == number


@pytest.mark.parametrize(("text", "sentences", "words", "counted", "grade"), [
    ("You may have a headache, tiredness, aches or mild fever for 1-2 days.", 1, 13, 16, 4.00),
    ("The drip starts slowly. It speeds up if you feel well.", 2, 11, 12, -0.57),
    ("Immunoglobulin is the name for antibodies. Your body uses them to fight germs.", 2, 13, 23, 7.82),
    ("Stay at least 20 min after the drip ends.", 1, 9, 10, 1.03),
    ("Vaccines that are not live can go ahead as normal.", 1, 10, 13, 3.65),
    ("If your IgA is low, tell us before you take Privigen.", 1, 11, 14, 3.72),
    ("These steps work against HIV. They work against the hepatitis viruses as well.", 2, 13, 22, 6.91),
    ("The dose is 0.4 grams for each kilogram of weight every 4 weeks.", 1, 13, 16, 4.00),
])
def test_sentences_are_graded_as_by_hand(text: str, sentences: int, words: int, counted: int, grade: float) -> None:
    """Counts written down before the program was asked; the grade from the formula on paper."""
    found = read(text, frozenset({"privigen"}))
    assert (found.sentences, found.words, found.syllables) == (sentences, words, counted)
    assert found.grade == pytest.approx(grade, abs=0.006)


@pytest.mark.parametrize(("text", "sentences"), [
    ("It takes 2.5 h. Then rest.", 2), ("Take food, e.g. bread. Drink.", 2), ("Really? Yes! Go.", 3), ("Vitamin K. is one", 1), ("No end", 1), ("", 0),
    ("One: two; three - four.", 1), ("Wait... Now go.", 2), ("First\n\nSecond", 2), ('He said "stop." Then he left.', 2),
])
def test_where_sentences_end(text: str, sentences: int) -> None:
    """Dots of numbers, abbreviations and single capitals end none; colons and semicolons neither."""
    assert len(sentences_of(text)) == sentences


@pytest.mark.parametrize(("word", "weight"), [
    ("1000", 1), ("0.4", 1), ("1-2", 1), ("40%", 1), ("min", 1), ("g/kg", 1), ("HIV", 3), ("IgG", 3), ("MMR", 3), ("breast-feed", 2), ("whole-body", 3),
    ("Privigen", 1), ("grams", 1), ("kilogram", 3),
])
def test_numbers_units_names_and_letters_count_as_documented(word: str, weight: int) -> None:
    """A number, a unit or a brand is one syllable; an abbreviation has one for each letter."""
    assert words_of(word) == [word]
    assert weight_of(word, frozenset({"privigen"})) == weight


def test_without_words_there_is_no_grade() -> None:
    """Nothing to read is not hard."""
    assert read("... - !").grade == 0
    assert read("").words == 0


@given(st.text())
@example("n't")
@example("'s")
@example("-")
@example("\u0130\u1e9e'")
def test_no_text_makes_it_fail(text: str) -> None:
    """Any text is counted: never an error, at least one syllable to a word, at least one word to a sentence."""
    found = read(text)
    assert found.syllables >= found.words >= found.sentences >= 0
    assert found.grade == found.grade


@given(st.integers(1, 20), st.integers(1, 60), st.integers(1, 200), st.integers(1, 20))
def test_more_syllables_or_longer_sentences_score_higher(sentences: int, words: int, counted: int, more: int) -> None:
    """The formula rises with syllables, and with words per sentence at the same syllables per word."""
    assert grade_of(sentences, words, counted + more) > grade_of(sentences, words, counted)
    assert grade_of(sentences, words * (more + 1), counted * (more + 1)) > grade_of(sentences, words, counted)


@given(st.lists(st.sampled_from(["go", "rest", "drink", "nurse", "arm"]), min_size=1, max_size=12), st.integers(0, 11))
def test_a_longer_word_in_place_of_a_short_one_scores_higher(words: list[str], place: int) -> None:
    """The same sentence with one hard word is harder."""
    harder = list(words)
    harder[place % len(words)] = "immunoglobulin"
    assert read(" ".join(harder)).grade > read(" ".join(words)).grade


@given(st.text(alphabet=string.ascii_letters + "'-", min_size=1, max_size=30))
def test_capitals_do_not_change_a_word(word: str) -> None:
    """At the head of a sentence a word has the syllables it has elsewhere."""
    assert syllables(word) == syllables(word.lower()) == syllables(word.capitalize())
