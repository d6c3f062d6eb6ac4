"""Nothing accepted is lost: not by a crash, not by a stop."""

from pathlib import Path

from end_to_end.served import serving

NOTICE = "您的订单{1}已发货，请留意查收。"


def test_what_was_accepted_before_a_kill_is_delivered_after_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    numbers = [f"+86137{number:08}" for number in range(200)]
    # A carrier so slow that nothing has come back when the server dies.
    with serving(data, CLEARTOSEND_SIMULATOR_DELAY_SECONDS="30", CLEARTOSEND_WINDOW="50") as server:
        caller = server.create_account()
        caller.add_sign()
        template_id = caller.add_template(NOTICE)
        sent = caller.send(template_id, ["8841"], numbers)
        assert {one.Code for one in sent} == {"Ok"}
        server.kill()
    with serving(data) as server:
        statuses = caller.moved_to(server.endpoint).pull_until(200)
    assert {status.SerialNo for status in statuses} == {one.SerialNo for one in sent}
    assert {status.Description for status in statuses} == {"DELIVRD"}


def test_sigterm_finishes_what_has_begun_and_a_new_start_goes_on(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, CLEARTOSEND_SIMULATOR_DELAY_SECONDS="30") as server:
        caller = server.create_account()
        caller.add_sign()
        template_id = caller.add_template(NOTICE)
        sent = caller.send(template_id, ["8841"], [f"+86137{number:08}" for number in range(50)])
        assert server.stop() == 0
    with serving(data) as server:
        statuses = caller.moved_to(server.endpoint).pull_until(50)
    assert {status.SerialNo for status in statuses} == {one.SerialNo for one in sent}
