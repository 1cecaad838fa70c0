"""Questions beyond this model, and the honest answer to each."""

from __future__ import annotations

from .elsewhere import near_miss, statement
from .sample import Dice, Sample, chat
from .topics import CODE_TASKS, CODE_TASKS_TEST, LANGUAGES, SENTENCES, TONGUES, subject
from .words import ANIMALS, COLOURS, FOODS, JOBS, MONTHS, THINGS, _list, any_word, city, first_name

ABOUT = _list("""Explain {s}; Explain {s} in 1 paragraph; Explain {s} in one paragraph; Explain {s} in {n} sentences;
Explain {s} to a child; Explain {s} simply; Explain {s} like I am five; Can you explain {s}?; Could you explain {s} to me?;
Please explain {s}; What is {s}?; What are {s}?; What do you know about {s}?; Tell me about {s}; Tell me something about {s};
Tell me more about {s}; Describe {s}; Describe {s} in detail; Give me a short introduction to {s}; Give me an overview of {s};
I want to learn about {s}; Teach me about {s}; Teach me {s}; How does {s} work?; How do {s} work?; Why does {s} matter?;
Why is {s} important?; Who discovered {s}?; Who invented {s}?; When did {s} begin?; When was {s} discovered?;
What are the advantages of {s}?; What are the pros and cons of {s}?; What is so special about {s}?; Summarize {s};
Summarise {s} in {n} bullet points; Give me {n} facts about {s}; Give me {n} good reasons to study {s}; List {n} books about {s};
What is your opinion on {s}?; What do you think about {s}?; Do you like {s}?; Is {s} dangerous?; Is {s} real?; Define {s};
What's the definition of {s}?; What does {s} mean?; I need help with {s}; Help me understand {s}; {s}; {s}?; {s}!;
Discuss {s}; Discuss {s} critically; In 100 words, what is {s}?; What is {s} in simple terms?; What happened with {s}?;
How was {s} made?; Where does {s} come from?; Talk to me about {s}; Let's talk about {s}; What should I know about {s}?;
What makes {s} interesting?; Give an example of {s}; Give me examples of {s}; What is the history of {s}?; How can I learn {s}?;
What is the best way to learn {s}?; Recommend a book about {s}; I have a question about {s}; who was {s}?; Who is {s}?;
What is the latest news about {s}?; why do people like {s}?; Do you know {s}?; Have you heard of {s}?; Tell me why {s} matters;
Outline the main ideas of {s}; State {s}; Prove {s}; Give a proof of {s}; What is the formula for {s}?; How big is {s}?;
How old is {s}?; How many kinds of {s} are there?; Can you tell me what {s} is?; can you tell me about {s}; info on {s};
Write about {s}; write me something on {s}; I am curious about {s}; what's {s}; what are the origins of {s}?; {s} please;
Does {s} exist?; What causes {s}?; How do I get started with {s}?; Explain the concept of {s}; Explain how {s} works;
Explain why {s} is important; Explain in detail what {s} is; Explain in {n} paragraphs what {s} is""", ";")
ABOUT_TEST = _list("""Explain {s} in 1 paragraph; What can you tell me regarding {s}?; I'd love to hear your thoughts on {s};
Give me the gist of {s}; Could you walk me through {s}?; Break down {s} for a beginner; Which people worked on {s}?;
Why should anyone care about {s}?; In a nutshell, {s}?; Educate me on {s}; Would you describe {s} briefly?; What's the deal with {s}?""", ";")
COMPARE = _list("""What is the difference between {s} and {t}?; Compare {s} and {t}; Compare {s} with {t}; {s} vs {t};
Which is better, {s} or {t}?; How are {s} and {t} related?; Should I choose {s} or {t}?; {s} or {t}?""", ";")
WRITE = _list("""Write {a} about {s}; Write me {a} about {s}; Can you write {a} about {s}?; Please write {a} on {s}; Compose {a} about {s};
Draft {a} about {s}; I need {a} about {s}; Create {a} about {s}; Make up {a} about {s}; Tell me {a} about {s}; Give me {a} about {s}""", ";")
FORMS = _list("""a poem; an essay; a story; a short story; a song; a haiku; a letter; an email; a blog post; a speech; a tweet; a report; a
limerick; a summary; a product description; a press release; a 500 word essay; a fairy tale; a sonnet; a cover letter; a quiz""", ";")
CODE = _list("""Write a {l} function that {c}; Write a {l} program that {c}; Write {l} code that {c}; Show me {l} code that {c}; How do I write a
{l} script that {c}?; Give me a {l} snippet that {c}; I need a {l} function which {c}; Can you code a {l} program that {c}?;
Implement a function in {l} that {c}; Create a {l} class that {c}; write a function that {c} in {l}; {l} script that {c}""", ";")
CODE_TEST = _list("Please produce a {l} method that {c}; Could you program something in {l} that {c}?; Build me a {l} tool that {c}", ";")
TRANSLATE = _list("""Translate to {g}: {q}; Translate '{q}' into {g}; How do you say "{q}" in {g}?; Translate the following into {g}: {q};
What is {q} in {g}?; Please translate this to {g}: {q}; {q} - translate to {g}; say '{q}' in {g}; Translate this sentence to {g}: "{q}" """, ";")
COOK = _list("""Give me a recipe for {f}; How do I make {f}?; How do you cook {f}?; What goes into {f}?; Recipe for {f}; I want to bake {f};
How long do I cook {f}?; What can I cook with {f} and {h}?; Please give me directions and ingredients for {f}; best {f} recipe""", ";")
LIFE = _list("""Plan a trip to {p}; What should I see in {p}?; What is the capital of {p}?; What's the weather in {p}?; What is the weather
like in {p} today?; How far is {p} from {o}?; What time is it in {p}?; What is the population of {p}?; Recommend a restaurant in {p};
How do I get from {p} to {o}?; Give me an itinerary for {n} days in {p}; What is the best hotel in {p}?; Tell me the history of {p};
What should I name my {z}?; How do I train a {z}?; What do {z}s eat?; How long does a {z} live?; What's the best way to train a {z}?;
Can you help me find a {k}?; Which {k} should I buy?; How much does a {k} cost?; How do I repair a {k}?; How do I clean a {k}?;
How do I become a {j}?; What does a {j} earn?; What does a {j} do?; Why is the sky {c}?; What should I wear in {m}?; Who won the game?;
Who won the World Series in 2020?; Where was it played?; Who is the president?; Who will win the election?; What day is it today?;
What time is it?; What is the date today?; What year is it?; How tall is {w}?; How old is {w}?; Who is {w}?; When was {w} born?;
What is the meaning of life?; Am I sick?; My head hurts, what should I do?; I feel sad; I am bored; Should I invest in gold?;
What stocks should I buy?; How do I lose weight?; How do I sleep better?; Give me {n} good reasons why I should exercise every day;
What is the square root of {x}?; What is {x} times {x}?; Solve x^2 + {n}x = {x}; What is {x} divided by {n}?; What is 2{x}3 + {x}8?;
Integrate x^{n}; What is the derivative of x^{n}?; Draw a picture of a {z}; Show me an image of {p}; Play some music; Call {w};
Send an email to {w}; Book a flight to {p}; Order a pizza; Set an alarm for {n}; Open the {k}; Turn on the {k}; Search the web for {k};
What movie should I watch?; Recommend a book; Suggest {n} gift ideas for my {j}; Give me {n} names for a {z}; Tell me a story;
Sing a song; Write a poem; Write some code; Help me with my homework; Do my homework; Let's play a game; Guess a number; Tell me a riddle;
Fix this code: x = [{n}; Why does my code not work?; What is wrong with this query: SELECT * FROM {k}; Proofread my text; Once upon a time;
The quick brown fox; What does this image show?; What's in this image?; Describe this image; Is it legal to own a {z}?; what rhymes with {k}?;
Sort these words: {k}, {z}, {f}; What comes after {k}, {z}?; Which word does not fit: {k}, {z}, {f}?; How many letters are in {k}?;
Reverse the word {k}; Spell {k} backwards; What is the opposite of {c}?; Give me a synonym for {c}; What is the plural of {z}?;
How many {z}s are there in {p}?; How many grams are in a pound?; How many inches are in a mile?; How fast is a {z}?; Convert {x} dollars to euros;
What is a {z}?; What is a {k}?; What is {k}?; a {z} and a {k}; {p}; {f}; {k}; {w} {k}; I like {f}; I live in {p}; I have a {z}; My {z} is {c}""", ";")
LIFE_TEST = _list("""Which museums are worth a visit in {p}?; Is a {z} a good pet?; Can I eat {f} every day?; Who was the first {j} on the moon?;
How heavy is a {k}?; Suggest a birthday present for {w}; What is the cube of {x}?; Is {p} expensive?; Compose a melody; What should I do this weekend?;
How do airplanes stay up?; Convert {x} miles to kilometres; Which planet is closest to the sun?; My laptop is slow, what can I do?""", ";")
PASTED = _list("""Summarize this text: {long}; Summarise the following: {long}; What is the main idea of this? {long}; Rewrite this more politely: {long};
Correct the grammar: {long}; Is this positive or negative? {long}; Classify the sentiment: {long}; Make this shorter: {long}; {long}""", ";")

ME = "I am builtin-nano, the small built-in model of Ponto"
NAMED = [
    "I can't help well with {g}: " + ME + ". Point this deployment at a larger model and ask again.",
    "Sorry, I don't know enough about {g}. " + ME + ", and this deployment can be pointed at a larger model.",
]
UNNAMED = [
    "I can't answer that well: " + ME + ". Point this deployment at a larger model and ask again.",
    "Sorry, that is beyond me. " + ME + ", and this deployment can be pointed at a larger model.",
]
MUST = ["built-in model of Ponto", "larger model"]


def beyond_answer(dice: Dice, gist: str | None) -> str:
    if gist and len(gist.split()) <= 7:
        return dice.pick(NAMED).format(g=gist)
    return dice.pick(UNNAMED)


def _fill(dice: Dice, template: str) -> str:
    return template.format(
        p=city(dice), o=city(dice), n=dice.number(2, 9), x=dice.number(100, 999), z=dice.pick(ANIMALS), k=dice.pick(THINGS),
        j=dice.pick(JOBS), c=dice.pick(COLOURS), m=dice.pick(MONTHS), f=dice.pick(FOODS), h=dice.pick(FOODS),
        w=f"{first_name(dice)}")


def pasted_text(dice: Dice, words: int) -> str:
    """Some of it sentences, some of it nothing but words."""
    sentences: list[str] = []
    while words > 0:
        count = dice.number(4, 14)
        sentences.append(statement(dice) if dice.chance(0.6) else " ".join(any_word(dice) for _ in range(count)).capitalize() + dice.pick(".....!?"))
        words -= count
    return " ".join(sentences)


def _question(dice: Dice) -> tuple[str, str | None]:
    """A question and the few words that name it, if there are any."""
    if dice.chance(0.36):
        return near_miss(dice)
    roll = dice.rng.random()
    if roll < 0.50:
        topic = subject(dice)
        return dice.split(ABOUT, ABOUT_TEST).format(s=topic, n=dice.number(2, 9)), topic
    if roll < 0.54:
        one, two = subject(dice), subject(dice)
        return dice.pick(COMPARE).format(s=one, t=two), f"{one} and {two}"
    if roll < 0.61:
        topic, form = subject(dice), dice.pick(FORMS)
        return dice.pick(WRITE).format(a=form, s=topic), f"writing {form} about {topic}"
    if roll < 0.67:
        task, tongue = dice.split(CODE_TASKS, CODE_TASKS_TEST), dice.pick(LANGUAGES)
        return dice.split(CODE, CODE_TEST).format(l=tongue, c=task), f"{tongue} code"
    if roll < 0.72:
        phrase = dice.pick(SENTENCES) if dice.chance(0.6) else " ".join(any_word(dice) for _ in range(dice.number(1, 6)))
        tongue = dice.pick(TONGUES)
        return dice.pick(TRANSLATE).format(g=tongue, q=phrase), f"translating into {tongue}"
    if roll < 0.77:
        dish = dice.pick(FOODS)
        return dice.pick(COOK).format(f=dish, h=dice.pick(FOODS)), f"a recipe for {dish}"
    if roll < 0.94:
        return _fill(dice, dice.split(LIFE, LIFE_TEST)), None
    if roll < 0.97:
        return " ".join(any_word(dice) for _ in range(dice.number(2, 9))) + dice.pick(["", "?", "."]), None
    return dice.pick(PASTED).format(long=pasted_text(dice, dice.pick([8, 15, 30, 60, 120]))), None


def beyond(dice: Dice) -> Sample:
    question, gist = _question(dice)
    sample = chat("beyond", question, beyond_answer(dice, gist), MUST)
    sample.names = gist if gist and gist in sample.messages[1]["content"] else ""
    return sample
