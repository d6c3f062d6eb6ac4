"""What comes soon after each other is written down together, and soon."""

import asyncio

from cleartosend.lull import Lull


async def test_a_burst_is_written_down_once() -> None:
    wrote = asyncio.Event()
    times: list[str] = []

    def write() -> None:
        times.append("written")
        wrote.set()

    lull = Lull(write)
    for _ in range(100):
        lull.more()
    assert times == []
    await wrote.wait()
    assert times == ["written"]
    wrote.clear()
    lull.more()
    await wrote.wait()
    assert times == ["written"] * 2


async def test_what_does_not_pause_is_written_down_all_the_same() -> None:
    wrote = asyncio.Event()
    lull = Lull(wrote.set)
    async with asyncio.timeout(10):
        while not wrote.is_set():
            lull.more()
            await asyncio.sleep(0)


async def test_it_can_be_told_to_wait_no_longer() -> None:
    times: list[str] = []
    lull = Lull(lambda: times.append("written"))
    lull.end()
    assert times == []
    lull.more()
    lull.end()
    assert times == ["written"]
    await asyncio.sleep(0.02)
    assert times == ["written"]
