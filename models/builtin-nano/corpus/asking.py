"""Many ways to ask one thing: an opening times a phrase. What the phrase names decides the answer, not the opening."""

from __future__ import annotations

from .facts import FACTS, Fact
from .sample import Dice
from .words import _list

TO_DO = _list("""how do I {v}?; how do I {v}?; how can I {v}?; how to {v}; how to {v}?; how do you {v}?; how would I {v}?; how should I {v}?; how does one {v}?;
what do I need to do to {v}?; what must I do to {v}?; what is the command to {v}?; what is the way to {v}?; which command do I use to {v}?; I want to {v};
I would like to {v}; I need to {v}; I'm trying to {v}; I am trying to {v}; please help me {v}; help me {v}; can you help me to {v}?; show me how to {v};
tell me how to {v}; explain how to {v}; is there a way to {v}?; is it possible to {v}?; can I {v}?; could I {v}?; steps to {v}; what's the best way to {v}?;
not sure how to {v}; any idea how to {v}?; what is the easiest way to {v}?; I don't know how to {v}; can you tell me how to {v}?; could you explain how to {v}?;
please explain how to {v}; how exactly do I {v}?; do you know how to {v}?; what are the steps to {v}?; in Ponto, how do I {v}?; how do I {v} with Ponto?;
how do I {v} in Ponto?; how do I {v} here?; I have to {v}, how?; what do I type to {v}?; how did you say I {v}?; and how do I {v}?; so how do I {v}?""", ";")
TO_DO_TEST = _list("""would you show me how to {v}?; what is needed to {v}?; I was wondering how to {v}; let me know how I can {v}; teach me how to {v};
which steps let me {v}?; my goal is to {v}""", ";")
TO_KNOW = _list("""what is {n}?; what is {n}?; what are {n}?; what's {n}?; explain {n}; describe {n}; define {n}; tell me about {n}; what does {n} mean?;
can you explain {n}?; could you explain {n}?; please explain {n}; what do you mean by {n}?; I don't understand {n}; what is meant by {n}?; {n}?; {n}; tell me more about {n};
what do you know about {n}?; I want to know about {n}; I have a question about {n}; what about {n}?; explain {n} in one sentence; explain {n} briefly; explain {n} simply;
can you tell me about {n}?; info about {n}; how does {n} work?; how do {n} work?; give me a short explanation of {n}; why do I need {n}?; {n} in Ponto?; what is {n} in Ponto?;
what is {n} for?; what is {n}, in one sentence; what can you tell me about {n}?; say something about {n}; help me understand {n}; I am looking for {n}; what is {n} good for?""", ";")
TO_KNOW_TEST = _list("""would you clarify {n}?; what should I know about {n}?; give me the basics of {n}; in short, {n}?; enlighten me about {n}; what is the idea of {n}?""", ";")

# A text that its answer holds -> (things to do, things to know).
_PHRASES: dict[str, tuple[list[str], list[str]]] = {
    "I answer basic questions": ([], _list("builtin-nano; the built-in model; yourself; your name; the model I am talking to; this model; the small built-in model", ";")),
    "own generator": ([], _list("your training; your training data; your maker; your origin; your licence", ";")),
    "extract JSON": (_list("use you; get the most out of you; work with you", ";"), _list("your skills; your abilities; your limits; your features", ";")),
    "self-hosted model endpoint": ([], _list("Ponto; ponto; this server; this service; the Ponto server; the Ponto project; this product; Ponto exactly; this thing called Ponto", ";")),
    "not part of it": ([], _list("Azure AI; Azure; Azure OpenAI; Azure AI Foundry; Azure AI Model Inference; Azure AI services; the relation of Ponto to Azure", ";")),
    "name for a model": ([], _list("a deployment; deployments; a model deployment; the word deployment; deployment; a Ponto deployment; the concept of deployments; deployments and models", ";")),
    "create NAME --model": (_list("""create a deployment; make a deployment; add a deployment; create a new deployment; set up a deployment; create my first deployment; deploy a model;
deploy the built-in model; deploy builtin-nano; create deployments; define a deployment; add another deployment; get a deployment; create one more deployment; register a deployment;
configure a new deployment; start a deployment; build a deployment""", ";"), _list("creating a deployment; deployment creation; the creation of deployments; making a new deployment", ";")),
    "prints the endpoint": (_list("""find the endpoint; find my endpoint; get the endpoint; see the endpoint; start the server; start Ponto; run Ponto; launch Ponto; launch the server; get started;
find the URL; find the base url; connect my client; get Ponto running; see the address; find the server address; start using Ponto; set up Ponto; begin; use Ponto; call Ponto; install Ponto""", ";"),
                              _list("the endpoint; my endpoint; the endpoint url; the base URL; the address of the server; the server address; the start command", ";")),
    "`ponto key list` shows them": (_list("""find the key; find my key; get a key; get an API key; see the keys; list the keys; show my keys; get the api key; authenticate; log in; sign in; find the keys;
recover my key; look up the key; send the key; pass the api key; authorize my requests; use the key""", ";"), _list("the api key; the keys; my key; keys; authentication; the api-key header; my api keys; the access key", ";")),
    "Letter case does not matter": (_list("""choose the model; select a model; choose a deployment; pick a deployment; route requests; route a request; switch models; call a deployment; use a deployment; set the model field;
select the deployment; name the deployment; call my deployment; use my deployment; address a deployment; send a request to a deployment""", ";"),
                                    _list("routing; the model field; the model parameter; model names; request routing; the routing of requests; letter case in names; the model name; case sensitivity", ";")),
    "Three surfaces": (_list("use the OpenAI SDK; use the Azure SDK; call the API; use the OpenAI client; connect the openai package; use the azure inference client; use LangChain", ";"),
                       _list("the API; the APIs; the surfaces; the API surfaces; the routes; the API paths; the supported APIs; /openai/v1; /models; the paths; the HTTP API; the interfaces; SDK support", ";")),
    "--backend URL": (_list("""connect a bigger model; connect a larger model; use a bigger model; use a larger model; use a better model; add a backend; use Ollama; use vLLM; connect Ollama; connect vLLM;
connect Azure OpenAI; use another model; use GPT-4 here; point the deployment at a larger model; point a deployment at another server; get a smarter model; replace the built-in model; use my own model;
forward requests to another server; use a remote model; add a model; add a larger model; hook up Ollama; connect an external model; attach a backend; connect to an OpenAI-compatible server; get better answers;
use Azure OpenAI with Ponto; connect llama.cpp; plug in a bigger model; use a real model; upgrade the model; change the model""", ";"),
                      _list("a backend; backends; larger models; bigger models; other models; remote models; connecting a larger model; Ollama support; vLLM support; the backend option", ";")),
    "NODE_EXTRA_CA_CERTS": (_list("""trust the certificate; install the certificate; fix the certificate error; fix the SSL error; use https; get rid of the TLS error; accept the certificate;
make my client trust the server; verify the certificate; trust the CA; solve the self-signed certificate problem""", ";"),
                            _list("the certificate; the TLS certificate; certificates; the self-signed certificate; the certificate error; TLS; the CA; SSL certificate errors", ";")),
    "server-sent events": (_list("stream; stream the answer; stream tokens; turn on streaming; enable streaming; use streaming; get a stream; receive the answer in pieces; stream a chat", ";"),
                           _list("streaming; streaming support; token streaming; server-sent events; SSE; the stream option; streamed answers", ";")),
    "Put your functions": (_list("use tools; call tools; use function calling; give you tools; pass tools; define a tool; call a function; add a tool; use functions", ";"),
                           _list("tools; tool calling; function calling; tool calls; tool support; the tools field; functions", ";")),
    "ponto deployment list": (_list("list deployments; list the deployments; see my deployments; show all deployments; list my deployments; see the models; list the models; view the deployments", ";"),
                              _list("the list of deployments; the deployments I have; available models; all my deployments; the list of models", ";")),
    "free under the MIT": ([], _list("the licence of Ponto; the price of Ponto; the cost of Ponto; privacy; data privacy; the Ponto license", ";")),
}


def _phrases(fact: Fact) -> tuple[list[str], list[str]]:
    return next((phrases for key, phrases in _PHRASES.items() if key in fact[2]), ([], []))


_WITH_PHRASES = [(fact, _phrases(fact)) for fact in FACTS]
_WEIGHTS = [len(fact[0]) ** 0.5 * (1 if any(phrases) else 0.55) for fact, phrases in _WITH_PHRASES]


def ask(dice: Dice) -> tuple[str, str, list[str]]:
    """A question that the model can answer, the answer, and what a right answer holds."""
    (train, test, answer, must), (to_do, to_know) = dice.rng.choices(_WITH_PHRASES, _WEIGHTS)[0]
    roll = dice.rng.random()
    if to_do and roll < 0.35:
        question = dice.split(TO_DO, TO_DO_TEST).format(v=dice.pick(to_do))
    elif to_know and roll < 0.55:
        question = dice.split(TO_KNOW, TO_KNOW_TEST).format(n=dice.pick(to_know))
    else:
        question = dice.split(train, test)
    return question, answer, must
