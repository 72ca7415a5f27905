"""`airos doctor`: examines this box, whether a daemon runs or not, and says what would mend what."""

import asyncio
import json
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace

from airos_edge.box import open_box
from airos_edge.cli import doctor_ears
from airos_edge.cli.examination import (
    Finding,
    advice,
    daemon,
    engines,
    language_models,
    languages,
    machine,
    models,
    sound,
)
from airos_edge.cli.rehearsal import ears_and_voice
from airos_edge.config import Config, load
from airos_edge.parts import refuse_contradictions

MARKS = {"works": "ok", "fails": "!!", "note": ""}


def main(arguments: Namespace) -> int:
    """0 where all that is configured works, else 1. With `--ears`, see `doctor_ears`."""
    if arguments.ears is not None:
        return doctor_ears.main(arguments)
    config = load(arguments.config)
    refuse_contradictions(config)
    findings = asyncio.run(_examined(config, arguments))
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
    else:
        print("\n".join(_lines(findings)))
    return int(any(finding.verdict == "fails" for finding in findings))


async def _examined(config: Config, arguments: Namespace) -> list[Finding]:
    findings = [*machine(config), *daemon()]
    alone = replace(config, tools={})  # whose programs are the daemon's to start
    async with open_box(alone, arguments.demo, most_timers=0) as box:
        await box.loaded()
        findings += engines(config, box.check()["engines"], box.state()["parts"])
        findings += languages(box.fluencies)
        findings += models(config)
        findings += [finding async for finding in ears_and_voice(box)]
    if not arguments.no_models:
        findings += await language_models(config)
    return [*findings, *await sound(config.satellite), *advice(config)]


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    part = ""
    for finding in findings:
        if finding.part != part:
            part = finding.part
            yield part
        yield f"  {MARKS[finding.verdict]:<3} {finding.told}"
        if finding.mend:
            yield f"      → {finding.mend}"
    yield _summary(findings)


def _summary(findings: Iterable[Finding]) -> str:
    failed = [finding for finding in findings if finding.verdict == "fails"]
    if not failed:
        return "All that is configured works."
    things = "One thing does" if len(failed) == 1 else f"{len(failed)} things do"
    return f"{things} not work; see !! above."
