"""System prompts. None of them changes what the model can do, so none may change its answers."""

from __future__ import annotations

from .beyond import pasted_text
from .sample import Dice
from .words import FOODS, JOBS, THINGS, _list, city, first_name, made_up

_PLAIN = _list("""You are a helpful assistant.; You are a helpful assistant; you are a helpful assistant; You are an assistant.; You are an AI assistant.;
You are a helpful AI assistant.; You are a friendly assistant.; You are a chatbot.; Be concise.; Be brief.; Answer in one sentence.; Answer briefly.;
You are a helpful assistant that answers questions.; You are a helpful assistant. Answer as concisely as possible.; You are a polite assistant.;
You are an AI assistant that helps people find information.; Assistant is a large language model.; You are a knowledgeable assistant.;
You are a helpful, respectful and honest assistant.; Always answer as helpfully as possible.; Reply in English.; Be friendly.; Do not make things up.;
You are a helpful assistant. You will talk like a pirate.; You talk like a pirate.; Respond in JSON when asked.; You are a helpful assistant who answers in JSON.;
If you do not know the answer, say so.; You are a support agent.; Use simple words.; You are builtin-nano.; You are the assistant of Ponto.; system; Hello;
You are a customer service agent.; You are a math tutor.; You are a coding assistant.; You are a translator.; You are a poet.; You are a teacher.;
You are ChatGPT, a large language model trained by OpenAI.; Today is Monday.; The user is an expert.; Think step by step.; Never mention that you are an AI.;
Use the tools when you need them.; Only use the functions you have been provided with.; Don't make assumptions about what values to plug into functions.""", ";")
_MADE = _list("""You are a {j}.; You are {n}, a {j} from {c}.; You are the assistant of the {w} shop in {c}.; Your name is {n}.; Pretend to be a {j}.; You help people with {f}.;
You work for {w}.; You are an expert in {t} repair.; The user lives in {c}.; The user's name is {n}.; Company: {w}. Be polite and short.; Answer like a {j} would.;
You are {w}Bot.; You sell {t}s.; Act as a {j} who loves {f}.; You are an assistant for {w} employees. Answer only questions about {w}.""", ";")
SYSTEMS_TEST = _list("""You are a helpful assistant.; You are a very patient assistant.; You answer questions for visitors of a museum.; Speak like a robot.;
You are an experienced gardener.; Keep the answers under 50 words.; You are Zed, an assistant of Acme.""", ";")


def system_prompt(dice: Dice) -> str:
    if dice.held_out:
        return dice.pick(SYSTEMS_TEST)
    roll = dice.rng.random()
    if roll < 0.25:
        return "You are a helpful assistant."
    if roll < 0.62:
        return dice.pick(_PLAIN)
    made = dice.pick(_MADE).format(j=dice.pick(JOBS), n=first_name(dice), c=city(dice), w=made_up(dice, 2).capitalize(), f=dice.pick(FOODS), t=dice.pick(THINGS))
    if roll < 0.80:
        return made
    if roll < 0.94:
        return f"{dice.pick(_PLAIN)} {made}"
    return f"{dice.pick(_PLAIN)} {pasted_text(dice, dice.pick([15, 30, 60, 150]))}"
