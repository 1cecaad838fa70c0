"""Near misses: questions that sound like ours but are not, everyday statements, and text to paste."""

from __future__ import annotations

from .asking import TO_DO, TO_DO_TEST, TO_KNOW, TO_KNOW_TEST
from .sample import Dice
from .topics import subject
from .words import ANIMALS, COLOURS, DAYS, FOODS, JOBS, MONTHS, THINGS, _list, city, first_name, made_up

_ACTIONS = _list("""deploy a website; deploy a React app; deploy to AWS; create a Kubernetes deployment; deploy to Heroku; create a website; create a company; create a budget; create a logo; create a table in SQL;
create a branch in git; list files in Linux; list the planets; find my phone; find a job; find my passport; find true love; trust people; trust my {j}; get a passport; get a driving licence; get rich;
stream movies; stream on Twitch; stream music; route traffic in Istio; route a cable; add a user in Linux; add a column in Excel; connect a printer; connect to wifi; connect my {k} to the TV; connect bluetooth;
start a business; start a garden; start a fire; start my car; log in to Facebook; sign in to my bank; use Excel; use chopsticks; use Photoshop; use a {k}; install Windows; install Python; install a {k};
call my mother; call an ambulance; change a tire; change my name; choose a {k}; choose a {z}; pick a lock; make money; make friends; make {f}; make a {k}; build a house; build a boat; build a robot;
learn a language; learn to dance; learn guitar; paint a {k}; paint a wall {c}; clean a {k}; repair a {k}; sell a {k}; buy a {k}; feed a {z}; train a {z}; raise a {z}; write a novel; write a letter to {w};
write unit tests; plan a wedding; travel to {p}; move to {p}; get from {p} to {o}; cook {f}; bake {f}; lose weight; sleep better; stop smoking; fix my back pain; solve a Rubik's cube; win at chess; tie a tie;
train a neural network; fine-tune a model; train my own model; set up a database; set up a mail server; open a bank account; open a jar; pass an exam; prepare for an interview; convert PDF to Word;
merge two lists in Python; sort an array; parse JSON in C; read a file in Java; center a div; undo a git commit; delete a {k}; print a {k}; draw a {z}; {m}; {m} a {k}; {m} the {y}; configure nginx; enable dark mode""", ";")
_AZURE = _list("""Does Azure OpenAI support customer managed keys?; Do other Azure AI services support this too?; Which regions does Azure have?; How much does Azure cost?; What is Azure Cosmos DB?; What is Azure Functions?;
How do I create a virtual machine in Azure?; Does Azure support {s}?; What is the quota in Azure?; How do I fine-tune a model in Azure OpenAI?; What is Azure DevOps?; Is Azure better than AWS?; What is Azure AI Search?;
What are Azure AI services good at?; How do I move from AWS to Azure?; Who owns Azure?; What is Microsoft?; Who is the CEO of Microsoft?; What is Azure Kubernetes Service?; How secure is Azure?; What is Azure Blob Storage?;
What is a Kubernetes deployment?; Show me a deployment yaml for Kubernetes; What is a blue-green deployment?; What is an endpoint in biology?; What is a primary key in SQL?; What is a foreign key?; What is a birth certificate?;
What is network routing?; How does BGP routing work?; What is video streaming?; Which streaming service is best?; Where are my car keys?; What is a key in music?; What is a REST endpoint in Spring?; What is an SSL certificate authority?""", ";")
_COUNTRIES = _list("""Germany, Spain, Italy, Portugal, Brazil, Peru, Chile, Canada, Mexico, Japan, China, India, Egypt, Kenya, Nigeria, Norway, Sweden, Finland, Poland, Austria, Greece, Turkey, Australia, the United States,
Argentina, Ireland, Belgium, Denmark, Vietnam, Thailand, Morocco, Ghana, Cuba, Iceland, Ukraine, Romania, Colombia, Scotland, England, Switzerland""", ",")
_UNITS = _list("inches yards metres centimetres grams pounds ounces litres gallons cups acres kilometres bytes bits pixels knots stones pints")
_QUIZ = _list("""What is the capital of {l}?; capital of {l}?; what's the capital of {l}?; Which city is the capital of {l}?; What is the population of {l}?; Who is the president of {l}?; What language do they speak in {l}?;
How many {u} are in a {v}?; How many {u} in a {v}?; how many {u} are there in {n} {v}?; How many people live in {l}?; How many legs does a {z} have?; How many bones are in the body?; How many days are in {month}?;
How many weeks are in a year?; How many hours are in a year?; What color is a {z}?; What colour is the {k}?; What color is my {k}?; Why is the sky blue?; Why is grass green?; How deep is the ocean?; How far is the moon?;
If I have {n} {k}s and lose {x}, how many are left?; If {w} has {n} {k}s and buys {x} more, how many does {w} have?; A train leaves {p} at {n}, when does it arrive in {o}?; {w} is {n} years older than {h}. How old is {h}?;
What is {big} * {big}?; What is {big} + {big}?; {big} / {n}; What is {big} divided by {n}?; what is {n} percent of {big}?; What is {n} to the power of {x}?; {big} * {n}; {big} minus {big}; sqrt({big}); What is 10% of {big}?;
Is {n} a prime number?; What is the square root of {n}?; What is half of {big}?; Solve for x: {n}x + {x} = {big}; What is the next number: {n}, {x}, {big}?; Round {n}.{big}; How many primes are below {big}?""", ";")
_STATEMENTS = _list("""The {f} was delicious.; The waiter was very friendly.; My {k} is broken.; I lost my {k} in {p}.; {w} is my best friend.; {w} went to {p} last {d}.; I have been to {p} twice.; The {z} chased the {y}.;
It rained all day in {p}.; We are going to {p} in {month}.; I do not like {f}.; The {k} on the {h2} is {c}.; She bought a {c} {k}.; He works as a {j}.; They live near {p}.; I am tired today.; The meeting was moved to {d}.;
My boss is a former {j}.; The movie was boring.; This hotel is terrible and dirty.; I love this {k}!; The battery of my {k} does not last.; Prices went up in {month}.; The {j} lost the {k}.; Our team won the match.;
{w} asked {h} about the {k}.; There is a {z} in the garden.; The package arrived late.; I think {p} is beautiful.; The sky over {p} was {c}.; You should have seen the {z}.; The report is due on {d}.; Customers complained about the {k}.;
The new {k} costs too much.; {w} and {h} got married in {p}.; The company hired a {j}.; I forgot to buy {f}.; Everyone enjoyed the {f}.; The {z} sleeps on the {k}.; Nobody knows where the {k} is.; Sales grew by {n} percent.""", ";")
_STATEMENTS_TEST = _list("""The concert in {p} was fantastic.; My neighbour owns a {z}.; The train to {p} was late again.; I will paint the {k} {c}.; Breakfast was cold.""", ";")


def _fill(dice: Dice, template: str) -> str:
    return template.format(
        s=subject(dice), p=city(dice), o=city(dice), n=dice.number(2, 99), x=dice.number(2, 20), z=dice.pick(ANIMALS), y=made_up(dice, 2), k=dice.pick(THINGS), h2=dice.pick(THINGS),
        j=dice.pick(JOBS), c=dice.pick(COLOURS), month=dice.pick(MONTHS), f=dice.pick(FOODS), w=first_name(dice), h=first_name(dice), d=dice.pick(DAYS), m=made_up(dice),
        l=dice.pick(_COUNTRIES), u=dice.pick(_UNITS), v=dice.pick(_UNITS).rstrip("s"), big=dice.number(101, 9999))


def statement(dice: Dice) -> str:
    return _fill(dice, dice.split(_STATEMENTS, _STATEMENTS_TEST))


def near_miss(dice: Dice) -> tuple[str, str | None]:
    """A question with one of our openings about something that is not ours, and what to call it."""
    roll = dice.rng.random()
    if roll < 0.40:
        action = _fill(dice, dice.pick(_ACTIONS))
        opening = dice.split(TO_DO, TO_DO_TEST)
        return opening.replace("in Ponto, ", "").replace(" in Ponto", "").replace(" with Ponto", "").format(v=action), f"how to {action}"
    if roll < 0.62:
        topic = subject(dice)
        return dice.split(TO_KNOW, TO_KNOW_TEST).replace(" in Ponto", "").format(n=topic), topic
    if roll < 0.70:
        return _fill(dice, dice.pick(_AZURE)), None
    if roll < 0.88:
        return _fill(dice, dice.pick(_QUIZ)), None
    return " ".join(statement(dice) for _ in range(dice.pick([1, 1, 1, 2, 3]))), None
