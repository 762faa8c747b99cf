"""The reviewers' other list: moments about which nobody was alerted, and some old alerts among them, judged blind.

It is not the queue: nothing here is urgent, nobody is sent, and no page tells what a moment is or why it was drawn.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from watchglass.acts.judge_sample import Answer, judge_sample, view_sample
from watchglass.acts.reading import count_waiting
from watchglass.acts.samples import Sample, for_person, waiting
from watchglass.acts.view_clip import KeptClip, kept_clip
from watchglass.charter.permit import Decide, ShowReviewerView
from watchglass.charter.words import sentence
from watchglass.core.errors import BadInput
from watchglass.web.portal.answers import wants_data
from watchglass.web.portal.clip_words import clip_words
from watchglass.web.portal.context import grant_of, house_of, permit_for, person_of, reader_of, receipts_json
from watchglass.web.portal.render import as_json, page
from watchglass.web.portal.staff import KIND_WORDS, place_of, ranged
from watchglass.web.portal.twins import twin

router: Final = APIRouter(include_in_schema=False)


@twin(router, "/review/samples")
def samples(request: Request) -> Response:
    """The next moment to look at, in one random order; never why it was drawn, nor when it was filmed."""
    reader, me, now = reader_of(request), person_of(request).account, house_of(request).clock.now()
    charter = house_of(request).standing().charter
    count, first = waiting(reader, me, now)
    return page(
        request,
        "staff/samples.html",
        {
            "waiting": count,
            "urgent": count_waiting(reader, me),
            "asked": charter is not None and charter.safeguards.samples is not None,
            "sample": _shown(request, first) if first else None,
        },
    )


def _shown(request: Request, sample: Sample) -> dict[str, object]:
    charter = house_of(request).standing().charter
    question, rule = "Did anything happen that the rule is for", ""
    if charter is not None:
        try:
            analytic = charter.analytic(sample.analytic)
            question, rule = KIND_WORDS[analytic.kind], sentence(charter, analytic)
        except BadInput:  # a later charter has it no longer
            pass
    clip: KeptClip | None = KeptClip(sample.withheld_per_mille, sample.withheld_why, destroyed=False)
    if sample.of_alert is not None:  # what is withheld of an old clip is told as of any other
        clip = kept_clip(reader_of(request), sample.of_alert)
    return {
        "id": sample.id,
        "question": question,
        "rule": rule,
        "place": place_of(request, sample.source),
        "clip_words": clip_words(clip, 0),
    }


@router.get("/review/samples/{sample}/clip.mp4")
def sample_clip(request: Request, sample: str) -> Response:
    """The mosaicked clip; that it was looked at is recorded."""
    house = house_of(request)
    found = for_person(reader_of(request), sample, person_of(request).account, house.clock.now())
    permit = permit_for(request, ShowReviewerView(found.source, found.purpose), under=found.charter)
    return ranged(request, view_sample(house.acting, grant_of(request), permit, sample), "video/mp4")


@router.post("/review/samples/{sample}/answer")
def answer_sample(request: Request, sample: str, answer: Annotated[Answer, Form()]) -> Response:
    """Say whether it happened. Nobody is sent anywhere."""
    house = house_of(request)
    found = for_person(reader_of(request), sample, person_of(request).account, house.clock.now())
    permit = permit_for(request, Decide(found.analytic), under=found.charter)
    done = judge_sample(house.acting, grant_of(request), permit, sample, answer)
    if wants_data(request):
        return as_json({"sample": sample, "answer": answer, "receipts": receipts_json(done.receipts)})
    return RedirectResponse("/review/samples", status_code=303)
