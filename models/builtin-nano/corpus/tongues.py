"""A small share of Portuguese, and an honest answer to every other language."""

from __future__ import annotations

from .sample import Dice, Sample, chat
from .words import _list, deployment_name, made_up


def _q(text: str) -> list[str]:
    return _list(text, ";")


_EU = "Sou o builtin-nano, o pequeno modelo integrado do Ponto"
PORTUGUESE: list[tuple[list[str], list[str], str, list[str]]] = [
    (_q("oi; olá; bom dia; boa tarde; boa noite; oi, tudo bem?; olá, tudo bem?; e aí; tudo bem?; opa; como vai?; oi gente; olá mundo; como você está?"),
     _q("olá, bom dia; oi oi; ei, tudo bem?"), f"Olá! {_EU}. Como posso ajudar?", ["modelo integrado do Ponto"]),
    (_q("""quem é você?; o que é você?; qual é o seu nome?; quem és tu?; como você se chama?; que modelo é você?; você é o ChatGPT?; você é humano?; fale sobre você;
o que você sabe fazer?; o que você faz?; se apresente; apresente-se; você é uma IA?; com quem estou falando?; ajuda; me ajude"""),
     _q("que modelo está respondendo?; como te chamas?; você pode se apresentar?"),
     f"{_EU}. Explico o Ponto, chamo ferramentas e faço tarefas pequenas.", ["modelo integrado do Ponto"]),
    (_q("o que é o Ponto?; o que é Ponto?; explique o Ponto; fale sobre o Ponto; para que serve o Ponto?; o que o Ponto faz?; me explica o Ponto; que servidor é este?"),
     _q("você pode explicar o Ponto?; afinal, o que é o Ponto?"),
     "O Ponto é um servidor de modelos que você mesmo hospeda e que fala as APIs Azure AI Model Inference e Azure OpenAI.", ["Azure AI Model Inference"]),
    (_q("o que é um deployment?; o que é uma implantação?; explique deployment; o que são deployments?; para que serve um deployment?"),
     _q("o que significa deployment?"), "Um deployment é um nome para um modelo com uma configuração.", ["nome para um modelo"]),
    (_q("como crio um deployment?; como criar um deployment?; criar deployment; quero criar um deployment; como faço um deployment?; como implantar um modelo?"),
     _q("qual comando cria um deployment?"), "Use `ponto deployment create NAME --model builtin-nano`.", ["ponto deployment create NAME --model builtin-nano"]),
    (_q("onde estão as chaves?; qual é a minha chave?; como vejo as chaves?; onde fica o endpoint?; qual é o endpoint?; qual é a url?; como inicio o Ponto?"),
     _q("onde encontro a chave?"), "O `npm start` mostra o endpoint e as chaves; `ponto key list` mostra as chaves de novo.", ["ponto key list"]),
    (_q("como conecto um modelo maior?; como usar um modelo melhor?; como uso o Ollama?; quero um modelo maior; como conectar o vLLM?; como ligar a outro modelo?"),
     _q("como faço para usar um modelo maior?"), "Use `ponto deployment create NAME --backend URL` com um servidor compatível com OpenAI.", ["--backend URL"]),
    (_q("obrigado; obrigada; valeu; muito obrigado; legal; ótimo; perfeito; tá bom"), _q("muito obrigada; valeu mesmo"), "De nada!", ["De nada"]),
    (_q("tchau; até logo; adeus; até mais; até amanhã"), _q("tchau tchau"), "Até logo!", ["Até logo"]),
]
_PT_TOPICS = _q("""a fotossíntese; a gravidade; a Revolução Francesa; o Brasil; Portugal; o futebol; buracos negros; o Carnaval; a inflação; Machado de Assis;
Fernando Pessoa; a hipótese de Riemann; redes neurais; o clima; a Amazônia; a Segunda Guerra; o samba; a fado; vacinas; energia solar; Python; Java; a lua""")
_PT_TOPICS_TEST = _q("a conjectura de Riemann; a teoria das cordas; o rio São Francisco; a lei de Ohm")
_PT_ASK = _q("""explique {s}; o que é {s}?; me fale sobre {s}; fale sobre {s}; como funciona {s}?; quem descobriu {s}?; escreva um poema sobre {s};
escreva um texto sobre {s}; explique {s} em um parágrafo; me explica {s}; o que você sabe sobre {s}?; por que {s} é importante?; resuma {s}; conte a história de {s}""")
_PT_OTHER = _q("""qual é a capital do Peru?; que horas são?; como está o tempo hoje?; me dê uma receita de bolo; escreva um código em Python; conte uma piada longa;
traduza para o inglês: bom dia; quanto custa um carro?; quem ganhou o jogo?; como emagrecer?; qual é o sentido da vida?; planeje uma viagem para Lisboa""")
_PT_NAMED = f"Não consigo explicar bem {{g}}. {_EU}: aponte este deployment para um modelo maior."
_PT_UNNAMED = f"Não sei responder bem a isso. {_EU}: aponte este deployment para um modelo maior."

OTHER = _q("""hola, ¿cómo estás?; ¿quién eres?; ¿qué es Ponto?; explica la fotosíntesis; buenos días; ¿dónde está la estación?; cuéntame un chiste; gracias por todo;
escribe un poema sobre el mar; ¿cuál es la capital de Perú?; necesito ayuda con mi tarea; me gusta el café; ¿qué hora es?; háblame de la historia de España;
bonjour, comment ça va ?; qui es-tu ?; qu'est-ce que Ponto ?; explique la photosynthèse; raconte-moi une blague; où est la gare ?; merci beaucoup;
écris un poème sur la mer; quelle est la capitale du Pérou ?; j'ai besoin d'aide; parle-moi de Napoléon; quel temps fait-il ?; je voudrais un café;
guten Tag, wie geht es dir?; wer bist du?; was ist Ponto?; erkläre die Photosynthese; erzähl mir einen Witz; wo ist der Bahnhof?; danke schön;
schreibe ein Gedicht über das Meer; was ist die Hauptstadt von Peru?; ich brauche Hilfe; wie wird das Wetter morgen?; was kannst du?; ich möchte einen Kaffee;
ciao, come stai?; chi sei?; che cos'è Ponto?; spiega la fotosintesi; raccontami una barzelletta; dov'è la stazione?; grazie mille; vorrei un caffè;
scrivi una poesia sul mare; ho bisogno di aiuto; qual è la capitale del Perù?; hallo, hoe gaat het?; wie ben jij?; wat is Ponto?; dank je wel; hur mår du?;
cześć, jak się masz?; kim jesteś?; dziękuję bardzo; nasılsın?; sen kimsin?; teşekkür ederim; 你好; 你是谁？; 什么是Ponto？; 请解释光合作用; 今天天气怎么样？; 谢谢;
写一首关于大海的诗; 秘鲁的首都是哪里？; 我需要帮助; こんにちは; あなたは誰ですか？; 光合成を説明してください; ありがとう; 今日の天気は？; 詩を書いて; 助けて;
안녕하세요; 당신은 누구입니까?; 감사합니다; 날씨가 어때요?; привет, как дела?; кто ты?; объясни фотосинтез; спасибо; расскажи анекдот; какая сегодня погода?;
مرحبا; من أنت؟; ما هي العاصمة؟; شكرا; नमस्ते; आप कौन हैं?; धन्यवाद; שלום; מי אתה?; γεια σου; ποιος είσαι;; xin chào; bạn là ai?; สวัสดี""")
OTHER_TEST = _q("""¿puedes explicar la gravedad?; ¿qué modelo eres?; pouvez-vous m'aider ?; quel est ton nom ?; was weißt du über Rom?; kannst du mir helfen?;
puoi aiutarmi?; parlami di Roma; 你叫什么名字？; 解释一下黑洞; 日本の首都はどこですか？; как тебя зовут?; столица Перу?; كيف حالك؟; jak masz na imię?""")
OTHER_ANSWER = "I only know English and a little Portuguese. I am builtin-nano, the small built-in model of Ponto; a larger model can answer in your language."


def other_language(dice: Dice) -> Sample:
    return chat("language", dice.split(OTHER, OTHER_TEST), OTHER_ANSWER, ["built-in model of Ponto"])


def portuguese(dice: Dice) -> Sample:
    roll = dice.rng.random()
    if roll < 0.60:
        train, test, answer, must = dice.pick(PORTUGUESE)
        return chat("portuguese", dice.split(train, test), answer, must)
    if roll < 0.66:
        name = deployment_name(dice)
        ask = dice.pick(_q("crie um deployment chamado {n}; como crio um deployment chamado {n}?; quero um deployment com o nome {n}"))
        return chat("portuguese", ask.format(n=name), f"Use `ponto deployment create {name} --model builtin-nano`.")
    if roll < 0.90:
        topic = dice.split(_PT_TOPICS, _PT_TOPICS_TEST) if dice.held_out or dice.chance(0.7) else f"{dice.pick('ao')} {made_up(dice, 3)}"
        return chat("portuguese", dice.pick(_PT_ASK).format(s=topic), _PT_NAMED.format(g=topic), ["modelo maior"])
    return chat("portuguese", dice.pick(_PT_OTHER), _PT_UNNAMED, ["modelo maior"])
