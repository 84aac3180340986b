"""A user's way through the API with the generated client. Argument: the service's address."""

import sys
from http import HTTPStatus

from tollbar_client import AuthenticatedClient, Client
from tollbar_client.api.calls import calls, count, ping, top
from tollbar_client.api.service import healthz, readyz
from tollbar_client.api.sessions import login, logout, signup
from tollbar_client.models import (
    Account,
    Board,
    Estimate,
    OfWindowCallers,
    OfWindowRanked,
    OfWindowSteps,
    Opened,
    Problem,
    Ready,
)


def main(address: str) -> None:
    client = Client(base_url=address)
    account = Account(username="generated", password="pass123-of-a-test")
    assert healthz.sync_detailed(client=client).status_code == HTTPStatus.OK
    ready = readyz.sync(client=client)
    assert isinstance(ready, Ready) and ready.status == "ready", ready
    assert signup.sync_detailed(client=client, body=account).status_code == HTTPStatus.OK
    taken = signup.sync(client=client, body=account)
    assert isinstance(taken, Problem) and taken.error == "Username already exists!", taken

    opened = login.sync(client=client, body=account)
    assert isinstance(opened, Opened) and opened.session_token.startswith("tbs_"), opened
    assert opened.expires_at.tzinfo is not None
    wrong = login.sync(client=client, body=Account(username="generated", password="wrong"))
    assert isinstance(wrong, Problem) and wrong.title == "Invalid credentials", wrong

    user = AuthenticatedClient(base_url=address, token=opened.session_token)
    pinged = ping.sync_detailed(client=user, x_request_id="walk-1")
    assert pinged.status_code == HTTPStatus.OK, pinged
    assert pinged.headers["X-Request-Id"] == "walk-1"
    assert pinged.headers["RateLimit-Policy"] == '"burst";q=1;w=5, "minute";q=2;w=60'
    limited = ping.sync_detailed(client=user)
    assert limited.status_code == HTTPStatus.TOO_MANY_REQUESTS and int(limited.headers["Retry-After"]) > 0
    assert isinstance(limited.parsed, Problem) and limited.parsed.violated_policies == ["burst"], limited

    board = top.sync(client=client)
    assert isinstance(board, Board) and [place.calls for place in board.top] == [1], board
    ranked = top.sync(client=client, window="all", limit=3)
    assert isinstance(ranked, OfWindowRanked) and ranked.api == "ping" and ranked.max_error == 0, ranked
    estimate = count.sync(client=client)
    assert isinstance(estimate, Estimate) and estimate.estimated_count == 1, estimate
    callers = count.sync(client=client, window="all")
    assert isinstance(callers, OfWindowCallers), callers
    steps = calls.sync(client=client, window="today")
    assert isinstance(steps, OfWindowSteps) and steps.step == "minute", steps
    unknown = calls.sync(client=client, api="nobody")
    assert isinstance(unknown, Problem) and unknown.status == HTTPStatus.NOT_FOUND, unknown

    assert logout.sync_detailed(client=user).status_code == HTTPStatus.NO_CONTENT
    dead = ping.sync_detailed(client=user)
    assert dead.status_code == HTTPStatus.UNAUTHORIZED, dead
    assert dead.headers["WWW-Authenticate"] == 'Bearer realm="tollbar", error="invalid_token"'
    print("walked")


main(sys.argv[1])
