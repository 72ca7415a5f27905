"""What people say in other languages, as they type it and as recognisers write it, is understood and answered."""

import pytest

from airos_edge.home.demo import demo_house
from airos_edge.home.house import AreaSettings, DeviceSettings, Settings
from airos_edge.languages.phrases import contents, languages
from airos_edge.voice.history import Item
from tests.home.people import People, SomeDead

ON, OFF, SET, STATE = "HassTurnOn", "HassTurnOff", "HassLightSet", "HassGetState"
START, CANCEL, CANCEL_ALL = "HassStartTimer", "HassCancelTimer", "HassCancelAllTimers"
LEFT, TIME, DATE, NEVERMIND = (
    "HassTimerStatus",
    "HassGetCurrentTime",
    "HassGetCurrentDate",
    "HassNevermind",
)
LIGHTS = {"domain": "light"}

GERMAN = [
    ("Schalte das Licht in der Küche ein.", ON, {"area": "Küche", **LIGHTS}),
    ("mach das licht in der küche an", ON, {"area": "Küche", **LIGHTS}),
    ("Schalte die Kaffeemaschine aus!", OFF, {"name": "Kaffeemaschine"}),
    ("Könntest du bitte die Stehlampe anmachen?", ON, {"name": "Stehlampe"}),
    ("Schalte alle Lichter aus.", OFF, LIGHTS),
    ("Mach das Licht aus.", OFF, LIGHTS),
    ("Licht an", ON, LIGHTS),
    ("Stelle die Deckenlampe auf 50 Prozent.", SET, {"name": "Deckenlampe", "brightness": 50}),
    ("Stelle die Deckenlampe auf 50 % ein.", SET, {"name": "Deckenlampe", "brightness": 50}),
    ("Helligkeit im Wohnzimmer auf dreißig Prozent", SET, {"area": "Wohnzimmer", "brightness": 30}),
    ("Dimme das Licht im Wohnzimmer auf 20%.", SET, {"area": "Wohnzimmer", "brightness": 20}),
    ("Ist die Deckenlampe an?", STATE, {"name": "Deckenlampe", "state": "on"}),
    ("Ist das Licht in der Küche an?", STATE, {"area": "Küche", "state": "on"}),
    ("Stelle einen Timer auf fünf Minuten.", START, {"minutes": 5}),
    ("Stell einen Timer für 25 Minuten", START, {"minutes": 25}),
    ("Stelle einen Timer auf fünfundzwanzig Minuten", START, {"minutes": 25}),
    ("Stelle einen Timer auf eine Stunde.", START, {"hours": 1}),
    ("Wie lange läuft der Timer noch?", LEFT, {}),
    ("Brich den Timer ab.", CANCEL, {}),
    ("Alle Timer abbrechen", CANCEL_ALL, {}),
    ("Wie spät ist es?", TIME, {}),
    ("Welches Datum haben wir heute?", DATE, {}),
    ("Abbrechen", NEVERMIND, {}),
    ("Stopp!", "AirosStop", {}),
]
FRENCH = [
    ("Allume la lumière de la cuisine.", ON, {"area": "cuisine", **LIGHTS}),
    ("allume les lumières du salon", ON, {"area": "salon", **LIGHTS}),
    ("Éteins la machine à café.", OFF, {"name": "machine à café"}),
    ("Éteins la lumière.", OFF, LIGHTS),
    ("Éteins toutes les lumières !", OFF, LIGHTS),
    ("Règle la lampe de bureau à 50 %.", SET, {"name": "lampe de bureau", "brightness": 50}),
    ("Mets la luminosité du salon à 30 pour cent.", SET, {"area": "salon", "brightness": 30}),
    ("La machine à café est-elle allumée ?", STATE, {"name": "machine à café", "state": "on"}),
    ("Est-ce que le plafonnier est allumé ?", STATE, {"name": "plafonnier", "state": "on"}),
    ("Mets un minuteur de cinq minutes.", START, {"minutes": 5}),
    ("Démarre un minuteur de vingt-cinq minutes", START, {"minutes": 25}),
    ("Lance un minuteur d’une heure.", START, {"hours": 1}),
    ("Combien de temps reste-t-il au minuteur ?", LEFT, {}),
    ("Annule le minuteur.", CANCEL, {}),
    ("Annule tous les minuteurs", CANCEL_ALL, {}),
    ("Quelle heure est-il ?", TIME, {}),
    ("Quel jour sommes-nous ?", DATE, {}),
    ("Laisse tomber.", NEVERMIND, {}),
    ("Tais-toi !", "AirosStop", {}),
]
SPANISH = [
    ("Enciende la luz de la cocina.", ON, {"name": "luz de la cocina"}),
    ("Enciende las luces del salón", ON, {"area": "salón", **LIGHTS}),
    ("¡Apaga la cafetera!", OFF, {"name": "cafetera"}),
    ("Apaga la luz.", OFF, LIGHTS),
    ("Apaga todas las luces", OFF, LIGHTS),
    ("Pon la lámpara de pie al 50 %.", SET, {"name": "lámpara de pie", "brightness": 50}),
    ("Pon la luz del salón al 30 por ciento.", SET, {"area": "salón", "brightness": 30}),
    ("¿Está encendida la cafetera?", STATE, {"name": "cafetera", "state": "on"}),
    ("Pon un temporizador de cinco minutos.", START, {"minutes": 5}),
    ("Pon un temporizador de 25 minutos", START, {"minutes": 25}),
    ("Pon un temporizador de una hora", START, {"hours": 1}),
    ("¿Cuánto tiempo queda en el temporizador?", LEFT, {}),
    ("Cancela el temporizador.", CANCEL, {}),
    ("Cancela todos los temporizadores", CANCEL_ALL, {}),
    ("¿Qué hora es?", TIME, {}),
    ("¿Qué día es hoy?", DATE, {}),
    ("Olvídalo.", NEVERMIND, {}),
    ("Para.", "AirosStop", {}),
]
CHINESE = [
    ("打开厨房的灯", ON, {"area": "厨房", **LIGHTS}),
    ("打開廚房的燈。", ON, {"area": "厨房", **LIGHTS}),
    ("开灯。", ON, LIGHTS),
    ("关灯", OFF, LIGHTS),
    ("请打开台灯。", ON, {"name": "台灯"}),
    ("关闭咖啡机！", OFF, {"name": "咖啡机"}),
    ("關閉咖啡機", OFF, {"name": "咖啡机"}),
    ("关闭所有的灯", OFF, LIGHTS),
    ("把台灯的亮度调到百分之五十。", SET, {"name": "台灯", "brightness": 50}),
    ("把台灯亮度调到５０％", SET, {"name": "台灯", "brightness": 50}),
    ("把客厅的灯调到百分之三十", SET, {"area": "客厅", "brightness": 30}),
    ("台灯开着吗？", STATE, {"name": "台灯", "state": "on"}),
    ("设置五分钟的计时器。", START, {"minutes": 5}),
    ("设置一个5分钟的计时器", START, {"minutes": 5}),
    ("設置一個五分鐘的計時器", START, {"minutes": 5}),
    ("设置一个小时的定时器", START, {"hours": 1}),
    ("计时器还剩多长时间？", LEFT, {}),
    ("取消计时器。", CANCEL, {}),
    ("取消所有计时器", CANCEL_ALL, {}),
    ("现在几点了？", TIME, {}),
    ("今天星期几", DATE, {}),
    ("算了。", NEVERMIND, {}),
    ("停", "AirosStop", {}),
]
SAID = [
    (language, *command)
    for language, commands in (("de", GERMAN), ("fr", FRENCH), ("es", SPANISH), ("zh", CHINESE))
    for command in commands
]


@pytest.mark.parametrize(("language", "text", "intent", "slots"), SAID)
async def test_a_command_is_understood(
    language: str, text: str, intent: str, slots: dict[str, object]
) -> None:
    async with People(demo_house(language), language=language) as people:
        found = people.commands.understand(text, None)
        assert found is not None
        assert found.intent == intent
        assert {name: found.slots.get(name) for name in slots} == slots


TRADITIONAL = [
    ("打開廚房的燈", "廚房燈"),
    ("打开厨房的灯", "廚房燈"),
    ("開啟咖啡機。", "咖啡機"),
    ("開啟檯燈", "檯燈"),
]


@pytest.mark.parametrize("language", ["zh-TW", "zh-HK"])
@pytest.mark.parametrize(("text", "device"), TRADITIONAL)
async def test_a_house_of_traditional_characters_understands_both(
    language: str, text: str, device: str
) -> None:
    async with People(demo_house(language), language=language) as people:
        answer = await people.ask(text)
        assert list(people.on()) == [device]
        assert not set(answer) & set("厨灯开"), "it answers in its own characters"


@pytest.mark.parametrize(
    ("language", "talk"),
    [
        (
            "de",
            {
                "Wie spät ist es?": "Es ist 15:05",
                "Stelle einen Timer auf fünf Minuten.": "Timer für fünf Minuten gestartet",
                "Was ist der Sinn des Lebens?": "Ich kenne bisher nur Befehle für das Haus.",
                "": "Entschuldigung, das habe ich nicht verstanden.",
            },
        ),
        (
            "fr",
            {
                "Quelle heure est-il ?": "Il est 15:05",
                "Raconte une histoire": (
                    "Je ne connais pour l'instant que les commandes de la maison."
                ),
            },
        ),
        (
            "es",
            {
                "¿Qué hora es?": "Son las 3 y 5 de la tarde",
                "Cuéntame un cuento": "Por ahora solo conozco órdenes para la casa.",
            },
        ),
        (
            "zh",
            {
                "现在几点了？": "下午3点05分",
                "打开台灯": "台灯已打开",
                "台灯开着吗？": "是的",
                "讲个故事": "我目前只懂家里的指令。",
            },
        ),
    ],
)
async def test_it_answers_in_the_language(language: str, talk: dict[str, str]) -> None:
    async with People(demo_house(language), language=language) as people:
        assert {text: await people.ask(text) for text in talk} == talk


async def test_what_cannot_be_done_is_said_in_the_language() -> None:
    dead = SomeDead("Stehlampe", "Deckenlampe")
    async with People(demo_house("de"), dead, is_demo=True, language="de") as people:
        assert await people.ask("Schalte das Licht im Wohnzimmer ein") == (
            "Das kann ich leider nicht erreichen: Stehlampe und Deckenlampe, im Demo-Haus"
        )
        people.timers.most = 0
        assert await people.ask("Stelle einen Timer auf fünf Minuten") == (
            "Einen Timer kann ich nur stellen, solange der Dienst läuft"
        )


async def test_what_was_not_the_houses_fault_is_not_said_to_be() -> None:
    async with People(demo_house("de"), language="de") as people:
        understood = people.commands.understand("Schalte die Stehlampe ein", None)
        assert understood is not None
        assert people.commands.sorry(understood) == ("Entschuldigung, da ist etwas schiefgegangen.")


async def test_numbers_in_names_may_be_written_as_words() -> None:
    house = Settings((AreaSettings("Zimmer 3"),), (DeviceSettings("Lampe 2", area="Zimmer 3"),))
    async with People(house, language="de") as people:
        for text in ("Schalte Lampe zwei ein", "Lampe 2 an", "Licht in Zimmer drei an"):
            assert people.commands.understand(text, None) is not None, text


@pytest.mark.parametrize("tag", languages())
async def test_what_warms_a_language_up_is_understood_in_it(tag: str) -> None:
    async with People(demo_house(tag), language=tag) as people:
        for sentence in contents(tag)["warm_up"]:
            assert people.commands.understand(sentence, None) is not None, sentence


@pytest.mark.parametrize("tag", [tag for tag in languages() if "sentences" in contents(tag)])
async def test_its_own_intents_have_an_answer(tag: str) -> None:
    """A response that a template of a language names is one that its answers have."""
    async with People(demo_house(tag), language=tag) as people:
        (house,) = people.commands._commands
        responses = house._sentences.responses
        for intent, blocks in contents(tag)["sentences"].items():
            for block in blocks:
                assert block.get("response", "default") in responses[intent], (intent, block)


# ---- several languages in one house -------------------------------------------------------------

BOTH = Settings(
    (AreaSettings("kitchen", ("Küche",)),),
    (DeviceSettings("kitchen light", "light", "kitchen", ("Küchenlicht",)),),
)


async def test_it_is_answered_in_the_language_of_the_question() -> None:
    async with People(BOTH, language=("en", "de")) as people:
        assert await people.ask("what time is it") == "3:05 PM"
        assert await people.ask("Wie spät ist es?") == "Es ist 15:05"
        assert await people.ask("Schalte das Küchenlicht ein") == "Licht eingeschaltet"
        assert list(people.on()) == ["kitchen light"]
        english = people.commands.understand("turn on the kitchen light", None)
        german = people.commands.understand("Schalte das Küchenlicht ein", None)
        assert english is not None
        assert german is not None
        assert people.commands.meaning(english) == people.commands.meaning(german)


async def test_of_two_languages_that_know_the_words_it_is_the_one_that_was_heard() -> None:
    async with People(BOTH, language=("es", "pt")) as people:
        both = [people.commands.understand("cancelar", None, heard) for heard in (None, "pt-BR")]
        assert [one and one.language for one in both] == ["es", "pt"]


async def test_what_is_no_command_is_told_so_in_the_language_that_was_heard() -> None:
    async with People(BOTH, language=("en", "de")) as people:
        heard = Item("i", role="user", text="Was ist Liebe?", spoken=True, language="de")
        answer, done = await people.answer(heard)
        assert answer == "Ich kenne bisher nur Befehle für das Haus."
        assert done.declined
        assert await people.ask("Was ist Liebe?") == "I only know house commands yet."


# ---- questions back -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text", "asked", "yes", "no", "given_up"),
    [
        ("de", "Schalte alle Lichter aus.", "Schalte alle Lichter aus?", "Ja, bitte!", "Nein.", "In Ordnung."),
        ("fr", "Éteins les lumières", "Éteins les lumières ?", "Oui, s’il te plaît.", "Non merci", "D'accord."),
        ("es", "apaga todas las luces", "¿Apaga todas las luces?", "¡Sí!", "No, gracias.", "De acuerdo."),
        ("zh", "关闭所有的灯。", "关闭所有的灯，对吗？", "是的。", "不用了。", "好的。"),
    ],
)  # fmt: skip
async def test_what_is_grave_and_was_not_surely_heard_is_asked_back(
    language: str, text: str, asked: str, yes: str, no: str, given_up: str
) -> None:
    doubtful = Item("a", role="user", text=text, spoken=True, sure=False)
    question = Item("b", role="assistant", text=asked, spoken=True)
    async with People(demo_house(language), language=language) as people:
        answer, done = await people.answer(doubtful)
        assert answer == asked
        assert done.expects
        lamp = next(device for device in people.house.find(domain="light"))
        await people.house.call(lamp, "turn_on", {})
        answer, _ = await people.answer(doubtful, question, Item("c", role="user", text=no))
        assert answer == given_up
        assert list(people.on()) == [lamp.name]
        await people.answer(doubtful, question, Item("c", role="user", text=yes))
        assert list(people.on()) == []


async def test_of_two_sentences_it_asks_for_the_whole_and_takes_a_part() -> None:
    doubtful = Item(
        "a",
        role="user",
        text="Stelle einen Timer auf fünf Minuten",
        alternatives=("Stelle einen Timer auf fünfzehn Minuten",),
    )
    async with People(demo_house("de"), language="de") as people:
        question, done = await people.answer(doubtful)
        assert question == (
            "Hast du gesagt: Stelle einen Timer auf fünf Minuten, oder: Stelle einen Timer auf "
            "fünfzehn Minuten?"
        )
        assert {"fünf", "fünfzehn", "das zweite", "nein"} <= set(done.expects)
        asked = Item("b", role="assistant", text=question)
        await people.answer(doubtful, asked, Item("c", role="user", text="Fünfzehn."))
        assert [timer.seconds for timer in people.timers.running] == [900]
