"""A worker that is sent nonsense, too much, or the wrong token goes on serving and does not grow."""

import json
import random
import subprocess
import sys

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from splitshare.replay.emulator.wire import HEADER_BYTES, MESSAGE_BYTES, SERVICE, TRANSFER_BYTES, pack

TOKEN = "a-token-of-more-than-thirty-two-characters-for-tests"
UNARY = ("Configure", "Issue", "Forget", "Probe", "Slow", "Describe")
GROWTH_BYTES = 40 * 2**20


@pytest.fixture
def worker(tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    command = [sys.executable, "-m", "splitshare.cli", "worker", "b", "--listen", "127.0.0.1:0", "--token-file"]
    child = subprocess.Popen([*command, str(tmp_path / "token")], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    (port,) = json.loads(child.stdout.readline())["ports"]
    try:
        yield psutil.Process(child.pid), f"127.0.0.1:{port}"
    finally:
        child.kill()
        child.wait()


def hostile(draw: random.Random) -> bytes:
    """A message that is wrong in one of many ways."""
    size = draw.choice([2**62, -1, TRANSFER_BYTES + 1, 10, "many", None, True, 1e300])
    nested = b'{"a":' * 5000
    return draw.choice(
        [
            lambda: draw.randbytes(draw.randint(0, 200)),
            lambda: (2**31).to_bytes(4, "big") + b"{}",
            lambda: (HEADER_BYTES + 1).to_bytes(4, "big") + b" " * (HEADER_BYTES + 1),
            lambda: len(nested).to_bytes(4, "big") + nested,
            lambda: pack({"bytes": size, "q": draw.choice([0, "x", None])}, draw.randbytes(draw.choice([0, 9]))),
            lambda: pack({"r": draw.choice([-1, "x", 2**70]), "class": "?", "device": 5, "peer": [], "factor": "x"}),
            lambda: pack({}, draw.randbytes(draw.choice([1, 1000]))),
            lambda: b"\x00\x00\x00\x02[]",
        ]
    )()


def test_a_thousand_wrong_messages_and_tokens(worker):
    process, address = worker
    draw = random.Random(0)
    right = (("authorization", f"Bearer {TOKEN}"),)
    wrong = ((), (("authorization", "Bearer x"),), (("authorization", TOKEN),), (("authorization", ""),))
    refused = unauthenticated = 0
    with grpc.insecure_channel(address, options=[("grpc.max_send_message_length", -1)]) as channel:
        calls = {name: channel.unary_unary(f"/{SERVICE}/{name}") for name in UNARY}
        transfer = channel.stream_stream(f"/{SERVICE}/Transfer")

        def attempt(number: int) -> grpc.StatusCode:
            metadata = wrong[number % 4] if number % 5 == 0 else right
            message = b"x" * (MESSAGE_BYTES + 10) if number % 100 == 1 else hostile(draw)
            try:
                if number % 3 == 0:
                    list(transfer(iter([message, message]), metadata=metadata, timeout=10))
                else:
                    calls[draw.choice(UNARY)](message, metadata=metadata, timeout=10)
            except grpc.RpcError as error:
                return error.code()
            return grpc.StatusCode.OK

        for number in range(100):  # what gRPC itself keeps is not growth
            attempt(number)
        before = process.memory_info().rss
        for number in range(1000):
            code = attempt(number)
            assert code not in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}, number
            if number % 5 == 0:
                assert code == grpc.StatusCode.UNAUTHENTICATED or number % 100 == 1
                unauthenticated += code == grpc.StatusCode.UNAUTHENTICATED
            refused += code != grpc.StatusCode.OK
        assert unauthenticated >= 190
        assert refused >= 800
        assert process.memory_info().rss - before < GROWTH_BYTES
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--listen", "0.0.0.0:0"], "--tls-certificate"),
        (["--listen", "127.0.0.1:0", "--token-file", "nowhere"], "nowhere"),
        (["--listen", "127.0.0.1:0", "--tls-key", "nowhere"], "nowhere"),
    ],
)
def test_an_open_door_is_refused(options, complaint):
    done = subprocess.run(
        [sys.executable, "-m", "splitshare.cli", "worker", "b", *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
