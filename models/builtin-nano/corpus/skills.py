"""Small tasks that the model can really do: sums, counting, copying, JSON extraction, named deployments."""

from __future__ import annotations

import json

from .asking import ask
from .facts import GREET, GREET_TEST, GREETING
from .sample import Dice, Sample, chat
from .words import COLOURS, DAYS, FOODS, JOBS, MONTHS, THINGS, _list, any_word, city, deployment_name, first_name, identifier

_PLUS = _list("{a} + {b}; {a}+{b}; {a} plus {b}; the sum of {a} and {b}; {a} and {b} added; {a}+ {b}; {a} added to {b}", ";")
_MINUS = _list("{a} - {b}; {a}-{b}; {a} minus {b}; the difference of {a} and {b}; {a} take away {b}", ";")
_TIMES = _list("{a} * {b}; {a}*{b}; {a} times {b}; {a} x {b}; the product of {a} and {b}; {a} multiplied by {b}", ";")
_ASK = _list("""What is {e}?; what's {e}?; {e}; {e} =; {e} = ?; {e}?; How much is {e}?; Calculate {e}; Compute {e}; Please calculate {e};
Tell me {e}; Can you add up {e}?; what does {e} make?; {e} equals?; Solve {e}; I need {e}; what is {e}; give me {e}; hey, what is {e}?""", ";")
_ASK_TEST = _list("Could you work out {e}?; What do I get for {e}?; please tell me what {e} is; Quick: {e}", ";")


def in_test_sums(a: int, b: int) -> bool:
    """A tenth of all pairs is kept out of training."""
    return (a * 37 + b * 101) % 10 == 3


def arithmetic(dice: Dice) -> Sample:
    roll = dice.rng.random()
    while True:
        if roll < 0.62:
            a, b, sign, forms = dice.number(0, 99), dice.number(0, 99), "+", _PLUS
            if dice.chance(0.2):
                a, b = dice.number(0, 12), dice.number(0, 12)
            result = a + b
        elif roll < 0.82:
            a = dice.number(0, 99)
            b, sign, forms = dice.number(0, a), "-", _MINUS
            result = a - b
        else:
            a, b, sign, forms = dice.number(0, 10), dice.number(0, 10), "*", _TIMES
            result = a * b
        if sign == "*" or in_test_sums(a, b) == dice.held_out:
            break
    expression = dice.pick(forms).format(a=a, b=b)
    return chat("arithmetic", dice.split(_ASK, _ASK_TEST).format(e=expression), f"{a} {sign} {b} = {result}")


_REPEAT = _list("""Say {t}; Say: {t}; Say "{t}"; Repeat: {t}; Repeat after me: {t}; Please repeat: {t}; Repeat the words {t}; Echo: {t}; echo {t};
Say exactly: {t}; Just say {t}; Write: {t}; Reply with: {t}; Reply with {t}; Reply with exactly: {t}; Answer with {t}; Copy this: {t}; Print {t};
Respond with {t}; Respond only with: {t}; Repeat this sentence: {t}; Output {t}; Please say '{t}'; Can you say {t}?; repeat after me {t}; Type {t};
Only say {t}; Say the word {t}; Return this text: {t}; Repeat back to me: {t}; Can you repeat this: {t}""", ";")
_REPEAT_TEST = _list("Could you repeat: {t}; I want you to say: {t}; Now say {t}; Please echo this text: {t}; Repeat this text after me: {t}", ";")
_LINES = _list("""this is a test; hello world; I am here; good morning; the sky is clear; all is well; OK; yes; no; hello; done; it works; nice to meet you;
the train is late; see you soon; one two three; we are ready; open the door; foo bar baz; lorem ipsum; good night moon; keep it simple; hi""", ";")


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text[-1:] in ".!?" else ".")


def copy(dice: Dice) -> Sample:
    if dice.chance(0.12) and not dice.held_out:
        return chat("copy", dice.pick(["Say this is a test", "say this is a test", "Say 'this is a test'", "Say this is a test.", "Say: this is a test",
                                       "Say this is a test!", "please say this is a test"]), "This is a test.", exact=True)
    if dice.chance(0.25):
        line = dice.pick(_LINES)
    else:
        line = " ".join(dice.pick([any_word(dice), any_word(dice), any_word(dice), identifier(dice)]) for _ in range(dice.number(1, 7)))
    if line == "this is a test":
        line = "this is the test"
    return chat("copy", dice.split(_REPEAT, _REPEAT_TEST).format(t=line), line, exact=True)


_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def count(dice: Dice) -> Sample:
    top = dice.number(2, 12)
    shown = dice.pick([str(top), _WORDS[top] if top <= 10 else str(top)])
    up = dice.split(["count to {t}", "Count to {t}", "count up to {t}", "count from 1 to {t}", "please count to {t}", "can you count to {t}?", "count from one to {t}"],
                    ["could you count to {t}?", "count till {t}", "I want you to count to {t}"])
    down = dice.split(["count down from {t}", "count backwards from {t}", "countdown from {t}"], ["please count down from {t}"])
    if dice.chance(0.8):
        return chat("count", up.format(t=shown), ", ".join(str(n) for n in range(1, top + 1)), exact=True)
    return chat("count", down.format(t=shown), ", ".join(str(n) for n in range(top, 0, -1)), exact=True)


def _record(dice: Dice) -> tuple[str, dict[str, object]]:
    """A sentence and the record that it states."""
    name, place, age, price = first_name(dice), city(dice), dice.number(1, 99), dice.number(1, 99)
    thing, colour, job, day = dice.pick(THINGS), dice.pick(COLOURS), dice.pick(JOBS), dice.pick(DAYS)
    amount, code, other, month = dice.number(2, 60), identifier(dice), city(dice), dice.pick(MONTHS)
    return dice.pick([
        lambda: (f"{name} is {age} years old", {"name": name, "age": age}),
        lambda: (f"{name} is {age} and lives in {place}", {"name": name, "age": age, "city": place}),
        lambda: (f"{name} lives in {place}", {"name": name, "city": place}),
        lambda: (f"{name} from {place} works as a {job}", {"name": name, "city": place, "job": job}),
        lambda: (f"{name} is a {job}", {"name": name, "job": job}),
        lambda: (f"I am {name}, I am {age} and I live in {place}", {"name": name, "age": age, "city": place}),
        lambda: (f"The {colour} {thing} costs {price} dollars", {"product": thing, "colour": colour, "price": price}),
        lambda: (f"The {thing} costs {price} euros", {"product": thing, "price": price}),
        lambda: (f"{name} bought {amount} {thing}s", {"name": name, "product": thing, "quantity": amount}),
        lambda: (f"{name} ordered {amount} {thing}s for {price} euros", {"name": name, "product": thing, "quantity": amount, "price": price}),
        lambda: (f"Order {code} ships to {place} on {day}", {"order": code, "city": place, "day": day}),
        lambda: (f"Order {code} is for {name}", {"order": code, "name": name}),
        lambda: (f"The meeting with {name} is on {day}", {"name": name, "day": day}),
        lambda: (f"{name} flies from {place} to {other} in {month}", {"name": name, "from": place, "to": other, "month": month}),
        lambda: (f"{name} has a {colour} cat", {"name": name, "colour": colour}),
        lambda: (f"{place} is sunny and {amount} degrees", {"city": place, "temperature": amount}),
    ])()


def _fields(keys: list[str]) -> str:
    return keys[0] if len(keys) == 1 else ", ".join(keys[:-1]) + " and " + keys[-1]


def extract_json(dice: Dice) -> Sample:
    sentence, record = _record(dice)
    keys = list(record)
    if len(keys) > 2 and dice.chance(0.4):
        keys = keys[: dice.number(1, len(keys) - 1)]
        record = {key: record[key] for key in keys}
    ask = dice.split([
        "Extract {k} as JSON: {s}.", "Extract the {k} as JSON: {s}.", "Extract {k} as JSON from: {s}", "Return JSON with {k}: {s}.", "Give me {k} as JSON. {s}.",
        "{s}. Extract {k} as JSON.", "{s}. Return {k} in JSON.", "Convert to JSON with keys {k}: {s}.", "As JSON ({k}): {s}.", "JSON with {k} please: {s}",
        "Turn this into JSON with {k}: {s}.", 'Read "{s}" and answer with JSON: {k}.', "Text: {s}.\nReturn a JSON object with {k}.", "Parse {k} as json: {s}",
    ], ["Please extract {k} in JSON format: {s}.", "Text: {s}. Output the {k} as JSON.", "Make a JSON object with the fields {k} from this: {s}."])
    return chat("json", ask.format(k=_fields(keys), s=sentence), json.dumps(record, ensure_ascii=False), exact=True)


def named_deployment(dice: Dice) -> Sample:
    name = deployment_name(dice)
    if dice.chance(0.75):
        ask = dice.split([
            "create a deployment called {n}", "how do I create a deployment called {n}?", "create a deployment named {n}", "make a deployment {n}", "add a deployment named {n}",
            "how do I create a deployment named {n}?", "I want a deployment called {n}", "deploy builtin-nano as {n}", "create deployment {n}", "new deployment {n}",
            "I need a deployment called {n}", "how do I deploy builtin-nano under the name {n}?", "set up a deployment with the name {n}",
        ], ["please make me a deployment named {n}", "what is the command for a deployment called {n}?", "could you create the deployment {n}?"])
        answer = f"Run `ponto deployment create {name} --model builtin-nano`. After that, requests can use {name} in the `model` field."
        return chat("named", ask.format(n=name), answer, [f"ponto deployment create {name} --model builtin-nano"])
    url = dice.pick(["http://localhost:8000/v1", "http://localhost:11434/v1", "http://127.0.0.1:8080/v1", f"https://{name.lower()}.example.com/v1"])
    ask = dice.pick(["connect {u} as {n}", "create a deployment {n} for {u}", "how do I point {n} at {u}?", "forward {n} to {u}", "use the server {u} as {n}"])
    return chat("named", ask.format(n=name, u=url), f"Run `ponto deployment create {name} --backend {url}`.")


def greet(dice: Dice) -> Sample:
    if dice.chance(0.08):
        return chat("greet", dice.pick(["", "", " ", "\n"]), GREETING, ["built-in model of Ponto"])
    return chat("greet", dice.split(GREET, GREET_TEST), GREETING, ["built-in model of Ponto"])


def product(dice: Dice) -> Sample:
    question, answer, must = ask(dice)
    return chat("product", question, answer, must)


def memory(dice: Dice) -> Sample:
    """Two turns: something told, then asked back."""
    name, place, food = first_name(dice), city(dice), dice.pick(FOODS)
    told, asked, answer = dice.pick([
        (dice.pick([f"My name is {name}", f"my name is {name}.", f"I am {name}", f"Hi, I'm {name}", f"Hello, my name is {name}!", f"call me {name}"]),
         dice.pick(["What is my name?", "what's my name?", "Do you remember my name?", "who am I?"]), (f"Nice to meet you, {name}!", f"Your name is {name}.")),
        (dice.pick([f"The code is {identifier(dice)}", f"Remember the word {any_word(dice)}", f"Remember this: {any_word(dice)} {any_word(dice)}"]), None, ("", "")),
        (dice.pick([f"My favourite food is {food}", f"I was born in {place}"]), None, ("", "")),
    ])
    if asked is None:
        subject = told.split(" is ")[0] if " is " in told else ""
        value = told.split(" is ")[1] if " is " in told else told.split("Remember the word ")[-1].split("Remember this: ")[-1].split("born in ")[-1]
        asked = {"The code": "What is the code?", "My favourite food": "What is my favourite food?"}.get(subject, "")
        if not asked:
            asked = "Where was I born?" if "born" in told else "What should you remember?"
        answer = ("I will remember that.", {"The code": "The code is ", "My favourite food": "Your favourite food is "}.get(
            subject, "You were born in " if "born" in told else "You asked me to remember ") + value + ".")
    messages = [{"role": "user", "content": told}, {"role": "assistant", "content": answer[0]},
                {"role": "user", "content": asked}, {"role": "assistant", "content": answer[1]}]
    if dice.chance(0.2) and not dice.held_out:
        messages = messages[:2]
    return Sample("memory", messages, must=[messages[-1]["content"]], exact=True)
