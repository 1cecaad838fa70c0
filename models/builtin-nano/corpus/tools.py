"""Tools: choose one, fill it, call several, leave them alone, answer from a result."""

from __future__ import annotations

import json
from typing import Any, Callable

from .beyond import beyond
from .sample import Dice, Message, Sample, Tool
from .skills import arithmetic, copy, greet, product
from .words import COLOURS, DAYS, FOODS, THINGS, _list, any_word, city, first_name, identifier, made_up

_VERBS = _list("get find look_up fetch search create delete update send open close start stop check list read set add remove book order cancel track show")
_NOUNS = _list("""order parcel invoice room light user ticket account meeting report file flight train hotel table song photo note task alarm door car
product stock recipe city match contact message page event device printer server backup""")
_SAID = {"look_up": "look up"}


def _value(dice: Dice, argument: str) -> Any:
    makers: dict[str, Callable[[], Any]] = {
        "city": lambda: city(dice), "origin": lambda: city(dice), "destination": lambda: city(dice), "location": lambda: city(dice),
        "originCity": lambda: city(dice), "destinationCity": lambda: city(dice), "name": lambda: first_name(dice), "to": lambda: first_name(dice),
        "user": lambda: first_name(dice), "id": lambda: identifier(dice), "order_id": lambda: identifier(dice), "code": lambda: identifier(dice),
        "count": lambda: dice.number(2, 60), "minutes": lambda: dice.number(2, 90), "amount": lambda: dice.number(2, 99), "level": lambda: dice.number(1, 99),
        "a": lambda: dice.number(1, 999), "b": lambda: dice.number(1, 999), "day": lambda: dice.pick(DAYS), "product": lambda: dice.pick(THINGS),
        "colour": lambda: dice.pick(COLOURS), "dish": lambda: dice.pick(FOODS), "query": lambda: f"{any_word(dice)} {any_word(dice)}",
        "text": lambda: " ".join(any_word(dice) for _ in range(dice.number(1, 4))), "unit": lambda: dice.pick(["celsius", "fahrenheit"]),
    }
    return makers[argument]() if argument in makers else any_word(dice)


_INTEGERS = {"count", "minutes", "amount", "level", "a", "b"}

# (names, arguments, description, training requests, held-out requests)
_KNOWN: list[tuple[list[str], list[str], str, list[str], list[str]]] = [
    (["get_weather", "get_current_weather", "weather", "fetch_weather"], ["city"], "Get the current weather in a city",
     _list("What's the weather in {0}?; What is the weather like in {0}?; weather in {0}; How is the weather in {0} today?; Is it raining in {0}?; Tell me the weather for {0}; weather {0}; What's the weather like today in {0}?", ";"),
     _list("Will I need an umbrella in {0}?; How warm is it in {0}?; Could you check the weather in {0}?", ";")),
    (["get_current_weather", "get_weather"], ["location"], "Get the current weather in a given location",
     _list("What's the weather in {0}?; What's the weather like in {0}?; Weather in {0} please; How hot is it in {0}?", ";"), _list("Give me today's weather for {0}", ";")),
    (["get_weather", "weather"], ["city", "unit"], "Get the weather in a city",
     _list("What is the weather in {0} in {1}?; weather in {0}, {1}; Tell me the weather for {0} in {1}; How warm is {0} in {1}?", ";"), _list("Give me {0}'s weather in {1}", ";")),
    (["get_time", "current_time", "get_local_time"], ["city"], "Get the local time of a city",
     _list("What time is it in {0}?; time in {0}; Tell me the time in {0}; What's the local time in {0}?; current time {0}", ";"), _list("How late is it in {0} now?; Check the clock in {0}", ";")),
    (["get_flight_info", "find_flight", "search_flights"], ["origin", "destination"], "Get the next flight between two cities",
     _list("What is the next flight from {0} to {1}?; Find a flight from {0} to {1}; flights {0} to {1}; I want to fly from {0} to {1}; When does the flight from {0} to {1} leave?", ";"),
     _list("Is there a plane from {0} to {1}?; How do I fly to {1} from {0}?", ";")),
    (["get_flight_info"], ["originCity", "destinationCity"], "Returns information about the next flight between two cities",
     _list("What is the next flight from {0} to {1}?; What are the next flights from {0} to {1}?; next flight from {0} to {1}", ";"), _list("When is the next flight from {0} to {1}?", ";")),
    (["send_message", "send_sms", "send_email", "notify"], ["to", "text"], "Send a text to a person",
     _list("Send {0} the message {1}; Tell {0}: {1}; Message {0}: {1}; Write to {0}: {1}; Send a message to {0} saying {1}", ";"), _list("Let {0} know: {1}; Text {0} the words {1}", ";")),
    (["set_timer", "start_timer", "set_alarm"], ["minutes"], "Start a timer",
     _list("Set a timer for {0} minutes; timer {0} minutes; Wake me in {0} minutes; Start a timer of {0} minutes; remind me in {0} minutes", ";"), _list("Ring in {0} minutes; I need a {0} minute timer", ";")),
    (["search", "web_search", "search_docs"], ["query"], "Search the documents",
     _list("Search for {0}; Look up {0}; Find documents about {0}; search {0}; Search the web for {0}; google {0}", ";"), _list("Do a search on {0}; What can you find about {0}?", ";")),
    (["add", "add_numbers", "sum", "calculator_add"], ["a", "b"], "Add two numbers",
     _list("What is {0} + {1}?; Add {0} and {1}; {0} plus {1}; sum of {0} and {1}; Compute {0} + {1}", ";"), _list("Please add up {0} and {1}; How much is {0} + {1}?", ";")),
    (["multiply", "multiply_numbers"], ["a", "b"], "Multiply two numbers",
     _list("What is {0} * {1}?; Multiply {0} by {1}; {0} times {1}; product of {0} and {1}", ";"), _list("Please multiply {0} and {1}", ";")),
    (["get_order", "order_status", "track_order"], ["order_id"], "Get the status of an order",
     _list("Where is order {0}?; What is the status of order {0}?; Track order {0}; order {0}; Has order {0} shipped?", ";"), _list("Please check on order {0}; Did order {0} arrive?", ";")),
    (["get_stock", "check_stock"], ["product"], "Check if a product is in stock",
     _list("Is the {0} in stock?; How many {0}s do we have?; stock of {0}; Check the stock for {0}", ";"), _list("Do we still have a {0}?", ";")),
    (["book_table", "reserve_table"], ["count", "day"], "Book a table in the restaurant",
     _list("Book a table for {0} on {1}; Reserve a table for {0} people on {1}; table for {0}, {1}", ";"), _list("I need a table for {0} this {1}", ";")),
    (["order_food", "order_dish"], ["dish", "count"], "Order a dish",
     _list("Order {1} portions of {0}; I want {1} times {0}; {1} {0} please", ";"), _list("Bring us {1} servings of {0}", ";")),
    (["set_light", "dim_light", "set_brightness"], ["level"], "Set the brightness of the light",
     _list("Set the light to {0}; Dim the light to {0} percent; light {0}%; brightness {0}", ";"), _list("Make the light {0} percent", ";")),
    (["find_contact", "get_contact", "lookup_user"], ["name"], "Find a contact by name",
     _list("Find the contact {0}; What is the number of {0}?; Look up {0} in my contacts; contact {0}; phone number of {0}", ";"), _list("How can I reach {0}?", ";")),
    (["create_event", "add_event", "schedule_meeting"], ["name", "day"], "Add a meeting to the calendar",
     _list("Schedule a meeting with {0} on {1}; Meet {0} on {1}; Add a meeting with {0} on {1}; Put {0} in my calendar for {1}", ";"), _list("Plan a call with {0} for {1}", ";")),
    (["convert_currency", "convert_money"], ["amount", "from", "to_currency"], "Convert money",
     _list("Convert {0} {1} to {2}; How much is {0} {1} in {2}?; {0} {1} in {2}", ";"), _list("Change {0} {1} into {2}", ";")),
]


_EXTRA = _list("unit, limit, language, format, verbose, page, note, country, timezone, currency, source, priority, region, style", ",")
_MORE = _list("""This includes the date and time.; Use it when the user asks for it.; Returns a JSON object.; Returns an error if nothing is found.; The result is a text.; Only for registered users.;
Works in every country.; This is fast.; May be called many times.; Do not guess values.; This includes the name, the number and the state.; Call it once.""", ";")


def _schema(name: str, arguments: list[str], values: list[Any], description: str, dice: Dice) -> Tool:
    """The OpenAI form of a tool; now and then with optional arguments that a request does not mention."""
    properties: dict[str, Any] = {}
    for argument, value in zip(arguments, values):
        kind = dice.pick(["integer", "integer", "number"]) if isinstance(value, int) else "string"
        properties[argument] = {"type": kind}
        if argument == "unit":
            properties[argument]["enum"] = ["celsius", "fahrenheit"]
        elif dice.chance(0.5):
            properties[argument]["description"] = f"The {argument}"
    parameters: dict[str, Any] = {"type": "object", "properties": properties}
    if dice.chance(0.85):
        parameters["required"] = arguments
        for extra in dice.some(_EXTRA, dice.pick([0, 0, 0, 1, 1, 2])):
            if extra not in properties:
                properties[extra] = {"type": dice.pick(["string", "string", "integer", "boolean"])}
                if extra == "unit":
                    properties[extra] = {"type": "string", "enum": dice.pick([["celsius", "fahrenheit"], ["c", "f"], ["metric", "imperial"]])}
    function: dict[str, Any] = {"name": name, "parameters": parameters}
    if dice.chance(0.9):
        more = [dice.pick(_MORE) for _ in range(dice.pick([0, 0, 0, 1, 2]))]
        function["description"] = ". ".join([description, " ".join(more)]) if more else description
    return {"type": "function", "function": function}


def _known(dice: Dice) -> tuple[Tool, str, list[dict[str, Any]], list[str]]:
    """A known tool, a request for it and the call that it asks for."""
    names, arguments, description, train, test = dice.pick(_KNOWN)
    values = [dice.pick(_list("dollars euros yen pounds pesos francs")) if a in ("from", "to_currency") else _value(dice, a) for a in arguments]
    name = dice.pick(names)
    request = dice.split(train, test).format(*values)
    return _schema(name, arguments, values, description, dice), request, [{"name": name, "arguments": dict(zip(arguments, values))}], names


def _made_up(dice: Dice) -> tuple[Tool, str, list[dict[str, Any]], list[str]]:
    """A tool that no list holds: the name says what it does, the request says it in plain words."""
    verb, noun = dice.pick(_VERBS), dice.pick(_NOUNS) if dice.chance(0.6) else made_up(dice, 2)
    argument = dice.pick(["id", "name", "code", "city", "text", "count", "level", "query", "product", "day", made_up(dice, 2)])
    value = _value(dice, argument)
    name = dice.pick([f"{verb}_{noun}", f"{noun}_{verb}", f"{verb}{noun.capitalize()}", f"{verb}_the_{noun}"])
    said = _SAID.get(verb, verb)
    request = dice.pick(["{v} the {n} {x}", "{v} {n} {x}", "Please {v} the {n} {x}", "Can you {v} the {n} {x}?", "{v} the {n} with {a} {x}", "I want to {v} the {n} {x}",
                         "{v} a {n}: {x}", "{v} the {n} for {x}", "Please {v} {n} for {x}",
                         "{v} {x} in the {n}", "I need to {v} {n} {x} now", "could you {v} {n} {x} for me?", "{n} {x}: {v}", "{v} my {n}, {a} is {x}"]).format(v=said, n=noun, x=value, a=argument)
    if dice.chance(0.5):
        request = request[0].upper() + request[1:]
    arguments, values = [argument], [value]
    if dice.chance(0.25):
        second = dice.pick([word for word in ["name", "count", "city", "colour", "day", "text", made_up(dice, 2)] if word != argument])
        arguments, values = [*arguments, second], [*values, _value(dice, second)]
        request = request.rstrip("?") + dice.pick([" with {a} {x}", ", {a} {x}", " and {a} {x}", " ({a}: {x})"]).format(a=second, x=values[1])
    tool = _schema(name, arguments, values, f"{said.capitalize()} the {noun}", dice)
    return tool, request, [{"name": name, "arguments": dict(zip(arguments, values))}], [name]


def _offer(dice: Dice, chosen: Tool, names: list[str]) -> list[Tool]:
    offered, seen = [chosen], set(names)
    for _ in range(dice.pick([0, 0, 1, 1, 2, 2, 3, 4, 6])):
        other, _, _, others = _known(dice) if dice.chance(0.6) else _made_up(dice)
        if not seen & set(others) and not (chosen["function"].get("description") == other["function"].get("description")):
            seen.update(others)
            offered.append(other)
    dice.rng.shuffle(offered)
    return offered


def call_text(calls: list[dict[str, Any]]) -> str:
    return "\n".join(f"<tool_call>{json.dumps(call, ensure_ascii=False)}</tool_call>" for call in calls)


def _call_message(dice: Dice, calls: list[dict[str, Any]]) -> Message:
    listed = []
    for index, call in enumerate(calls):
        arguments: Any = json.dumps(call["arguments"], ensure_ascii=False) if dice.chance(0.8) else call["arguments"]
        listed.append({"id": f"call_{index}", "type": "function", "function": {"name": call["name"], "arguments": arguments}})
    return {"role": "assistant", "content": None if dice.chance(0.7) else "", "tool_calls": listed}


def _several(dice: Dice) -> tuple[Tool, str, list[dict[str, Any]], list[str]]:
    names, arguments, description, _, _ = dice.pick([row for row in _KNOWN if row[1] in (["city"], ["location"])])
    name, noun = dice.pick(names), "time" if "time" in description else "weather"
    places = [city(dice) for _ in range(dice.pick([2, 2, 3]))]
    joined = ", ".join(places[:-1]) + dice.pick([" and ", ", and "] if len(places) > 2 else [" and ", " and in "]) + places[-1]
    request = dice.pick(["What is the {n} in {p}?", "{n} in {p}", "Compare the {n} in {p}", "Tell me the {n} for {p}", "What's the {n} like in {p}?"]).format(n=noun, p=joined)
    calls = [{"name": name, "arguments": {arguments[0]: place}} for place in places]
    return _schema(name, arguments, places[:1], description, dice), request, calls, names


def tool_call(dice: Dice) -> Sample:
    roll = dice.rng.random()
    tool, request, calls, names = _known(dice) if dice.held_out or roll < 0.55 else _made_up(dice) if roll < 0.95 else _several(dice)
    messages = [{"role": "user", "content": request}, _call_message(dice, calls)]
    return Sample("tool", messages, _offer(dice, tool, names), [call_text(calls)], exact=True)


def tool_unneeded(dice: Dice) -> Sample:
    tool, _, _, names = _known(dice) if dice.chance(0.6) else _made_up(dice)
    offered = _offer(dice, tool, names)
    if any({"add", "a"} & set(entry["function"]["parameters"]["properties"]) for entry in offered):
        maker = greet
    else:
        maker = dice.pick([greet, arithmetic, copy, product, product, beyond, beyond])
    sample = maker(dice)
    return Sample("tool-unneeded", sample.messages, offered, sample.must, sample.exact)


def _result(dice: Dice, call: dict[str, Any]) -> tuple[str, str, str]:
    """What a tool may return, the answer to it and the part that must be right."""
    degrees, word, sky = dice.number(-9, 42), any_word(dice), dice.pick(_list("sunny cloudy rainy windy foggy clear snowy stormy"))
    clock = f"{dice.number(0, 23):02d}:{dice.number(0, 59):02d}"
    place = next((value for key, value in call["arguments"].items() if key in ("city", "location")), None)
    if place and "time" in call["name"]:
        return dice.pick([(json.dumps({"time": clock}), f"It is {clock} in {place}.", clock), (clock, f"It is {clock} in {place}.", clock)])
    if place:
        both = f"It is {degrees} degrees and {sky} in {place}."
        return dice.pick([
            (json.dumps({"temperature": degrees, "sky": sky}), both, f"{degrees} degrees and {sky}"),
            (json.dumps({"temp": degrees, "conditions": sky}), both, f"{degrees} degrees and {sky}"),
            (json.dumps({"temperature": degrees}), f"It is {degrees} degrees in {place}.", f"{degrees} degrees"),
            (f"{degrees} degrees, {sky}", both, f"{degrees} degrees and {sky}"), (f"{sky}, {degrees} C", both, f"{degrees} degrees and {sky}"),
        ])
    return dice.pick([
        (json.dumps({"status": word}), f"The status is {word}.", word), (json.dumps({"result": degrees}), f"The result is {degrees}.", str(degrees)),
        (json.dumps({"result": word}), f"The result is {word}.", word), (json.dumps({"ok": True}), "Done.", "Done"), (json.dumps({"success": True}), "Done.", "Done"),
        ("ok", "Done.", "Done"), ("done", "Done.", "Done"), (word, f"The result is {word}.", word), (str(degrees), f"The result is {degrees}.", str(degrees)),
        (json.dumps({"error": word}), f"That did not work: {word}.", word), (f"Error: {word}", f"That did not work: {word}.", word),
        (json.dumps({"status": word, "day": (day := dice.pick(DAYS))}), f"The status is {word}, day: {day}.", word),
        (json.dumps({"count": degrees}), f"The count is {degrees}.", str(degrees)), (json.dumps({"price": degrees}), f"The price is {degrees}.", str(degrees)),
    ])


def tool_result(dice: Dice) -> Sample:
    tool, request, calls, names = _known(dice) if dice.held_out or dice.chance(0.7) else _made_up(dice)
    content, answer, key = _result(dice, calls[0])
    messages = [{"role": "user", "content": request}, _call_message(dice, calls),
                {"role": "tool", "tool_call_id": "call_0", "content": content}, {"role": "assistant", "content": answer}]
    offered = [] if dice.chance(0.1) else _offer(dice, tool, names)
    return Sample("tool-result", messages, offered, [key])
