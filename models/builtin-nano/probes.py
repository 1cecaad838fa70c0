"""Questions written freely, outside the generator. `LOOKED_AT` was used to improve the corpus; `UNSEEN` is only ever scored."""

from __future__ import annotations

BEYOND_LOOKED_AT = """Explain Riemann's conjecture in 1 paragraph
Write a hello world program in Python
Give me 5 good reasons why I should exercise every day.
Does Azure OpenAI support customer managed keys?
Who won the world series in 2020?
How do I output all files in a directory using Python?
Can you recommend a good sci-fi novel from the 90s?
What are the top 10 things to do in Lisbon?
Translate "good morning" to French
Summarize the plot of Hamlet for me
i have a headache since yesterday, should i worry
Is it OK to mix bleach and ammonia?
fix my regex ^a+$
If I have 3 apples and eat one, how many are left?
What is 1234 * 17?
What is the capital of Germany?
kubernetes deployment yaml example
Write me a 3 line poem about autumn leaves
My girlfriend left me and I don't know what to do
Who painted the Mona Lisa?
Explain the difference between TCP and UDP
Why do cats purr?
What's a good name for a coffee shop?
SELECT name FROM users WHERE id = 3
def fib(n): return n if n < 2 else
Draft a resignation letter for me
What should I cook tonight with chicken and rice?
how tall is mount everest
Tell me about your favorite movie
Roses are red, violets are
Can you convert this CSV to a table? a,b,c
What were the causes of World War I?
Explain quantum entanglement to a 10 year old
Do aliens exist?
Generate a random password
What does the idiom "break a leg" mean?
Please act as a linux terminal
I want you to act as a travel guide for Kyoto
Classify this review as positive or negative: I hated every minute
How many r's are in strawberry?""".split("\n")

BEYOND_UNSEEN = """Describe the architecture of the Sagrada Familia
Write unit tests for a function that adds two numbers
When did humans first land on the moon?
Give me three ideas for a science fair project
What is the boiling point of ethanol?
Could you proofread my cover letter?
Convert 72 degrees Fahrenheit to Celsius
Which is healthier, butter or margarine?
Who is the prime minister of Canada?
Please write a short bedtime story about a dragon
What does HTTP status 418 mean?
How do vaccines train the immune system?
my dog ate chocolate, what now
Rewrite this sentence in passive voice: The boy kicked the ball.
What's the best programming language for beginners?
Explain supply chain attacks
Compose a tweet announcing our new product
How do I get a stain out of a white shirt?
What is the airspeed velocity of an unladen swallow?
Solve the equation 3x + 5 = 20
List the planets in order from the sun
What happened in 1492?
Plan a weekly workout schedule
Which stocks will go up next year?
Can you explain how blockchain consensus works?
const x = await fetch(url); why is x undefined?
What does carpe diem mean?
Name a famous composer
Is a tomato a fruit or a vegetable?
Make a list of vegan protein sources
How does a microwave heat food?
Give feedback on my business plan
In what year was the Eiffel Tower built?
What is the plot of Inception?
how 2 get rich fast
Tell me the lyrics of Yesterday
The quarterly revenue fell by eight percent because of weak demand.
Who would win, Batman or Superman?
Explain Goldbach's conjecture in one paragraph
Write a SQL query that counts users per country""".split("\n")

# question -> a text that the right answer holds
OURS_LOOKED_AT = {
    "who r u": "built-in model of Ponto", "What is Ponto and how do I use it?": "Ponto", "wheres my key": "ponto key list", "can i use ollama with this": "--backend URL",
    "my python client says CERTIFICATE_VERIFY_FAILED": "SSL_CERT_FILE", "how do deployments relate to models": "name for a model", "which apis do you have": "/openai/v1",
    "can you stream?": "stream", "What is a deployment in one sentence, please.": "name for a model", "thank u": "welcome", "What is Azure AI?": "Microsoft",
    "How many feet are in a mile?": "5,280", "Say this is a test": "This is a test.", "Hello!": "built-in model of Ponto", "tell me a joke": "cross the road",
    "How do I make a deployment?": "ponto deployment create NAME", "Are you an OpenAI model?": "built-in model of Ponto", "what model is running here?": "built-in model of Ponto",
    "do upper and lower case matter in the model name": "case does not matter", "I'd like to plug in my vLLM server": "--backend URL",
}
OURS_UNSEEN = {
    "Hey! Who exactly am I chatting with?": "built-in model of Ponto", "whats ur name": "built-in model of Ponto", "What's the point of Ponto?": "self-hosted",
    "Please give me the command for creating a new deployment": "ponto deployment create NAME", "I can't find my API key anywhere": "ponto key list",
    "My SDK rejects your self-signed cert": "NODE_EXTRA_CA_CERTS", "I want to point this at Azure OpenAI instead": "--backend URL", "does it do server sent events": "\"stream\": true",
    "what's meant by deployment here": "name for a model", "is it case-sensitive, the deployment name?": "case does not matter", "Does the openai python package work with this server?": "/openai/v1",
    "can u call functions": "`tools` field", "good afternoon, bot": "built-in model of Ponto", "thx a lot!": "welcome", "Is this the real Azure?": "self-hosted",
    "what url should I put in my client": "npm start", "show me every deployment": "ponto deployment list", "you seem dumb, how do I get a better model?": "--backend URL",
    "what are you good for?": "explain Ponto", "who wrote you?": "Ponto project",
}
