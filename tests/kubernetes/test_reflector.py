"""What a watch hands on, whatever the API server does."""

import json
import threading

import pytest

from ovsnp.kubernetes.events import KindListed, ObjectChange, WatchEvent
from ovsnp.kubernetes.reflector import SHORT
from ovsnp.kubernetes.resources import SERVICE_CIDRS
from tests.support.scripted_api import INITIAL_END, Answer, ScriptedApi
from tests.support.scripted_faults import cut_short, error_event, failing
from tests.support.watching import PODS, Watched, api_server, watched, words


def listed(event: WatchEvent) -> KindListed:
    assert isinstance(event, KindListed)
    return event


def queries(api: ScriptedApi) -> list[dict[str, str]]:
    return [asked.query for asked in api.asked if asked.path == PODS]


def test_list_is_streamed_and_the_watch_goes_on_in_the_same_answer(api: ScriptedApi, watch: Watched) -> None:
    first = listed(watch.begin().event())
    assert sorted(words(each) for each in first.changes) == ["+db", "+web"]
    assert first.resource_version == "1002"
    made = api.put(PODS, "shop", "cart")
    change = watch.event()
    assert isinstance(change, ObjectChange)
    assert (change.kind, change.namespace, change.name) == ("Pod", "shop", "cart")
    assert (change.resource_version, change.body is not None) == (made["metadata"]["resourceVersion"], True)
    api.delete(PODS, "shop", "web")
    assert watch.words(1) == ["-web"]
    (query,) = queries(api)
    assert query == {
        "fieldSelector": "status.phase!=Failed,status.phase!=Succeeded",
        "watch": "true",
        "allowWatchBookmarks": "true",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "timeoutSeconds": "300",
    }
    assert watch.versions() == api.versions(PODS)


def test_server_without_streamed_lists_is_asked_for_a_list_and_then_a_watch(api: ScriptedApi, watch: Watched) -> None:
    api.streams_lists = False
    assert watch.begin().words(1) == ["listed +web +db"]
    api.delete(PODS, "shop", "web")
    assert watch.words(1) == ["-web"]
    _, as_list, as_watch = queries(api)
    assert (as_list["resourceVersion"], as_watch["resourceVersion"]) == ("0", "1002")
    api.put("/api/v1/nodes", "", "node-1")
    api.compact()
    api.end_watches()
    assert watch.words(1) == ["listed"]
    again = [query for query in queries(api) if "watch" not in query][1]
    assert again == {**as_list, "resourceVersion": "1003", "resourceVersionMatch": "NotOlderThan"}
    assert all("gzip" in asked.headers["accept-encoding"] for asked in api.asked)


def test_streamed_list_whose_bookmark_never_comes_is_replaced_by_a_list(api: ScriptedApi, watch: Watched) -> None:
    def without_bookmark(answer: Answer) -> None:
        answer.start()
        answer.line("ADDED", api.objects[PODS]["shop", "web"])
        answer.silence()

    watch.silence = 0.05
    api.next[PODS].append(without_bookmark)
    assert watch.begin().words(1) == ["listed +web +db"]
    assert "sendInitialEvents" not in queries(api)[1]


def test_watch_that_ends_begins_again_at_its_last_version_without_a_list(api: ScriptedApi, watch: Watched) -> None:
    watch.begin().event()
    api.put(PODS, "shop", "cart")
    assert watch.words(1) == ["+cart"]
    watch.clock.time += 2 * SHORT
    api.end_watches()
    api.put(PODS, "shop", "till")
    assert watch.words(1) == ["+till"]
    assert queries(api)[1]["resourceVersion"] == "1003"
    assert "sendInitialEvents" not in queries(api)[1]


def test_bookmark_is_progress_and_the_place_where_the_next_watch_begins(api: ScriptedApi, watch: Watched) -> None:
    def with_bookmark(answer: Answer) -> None:
        answer.start()
        answer.bookmark(7000)
        answer.end()

    watch.begin().event()
    api.next[PODS].append(with_bookmark)
    api.end_watches()
    assert watch.words(1) == ["progress"]
    with api.changed:
        assert api.changed.wait_for(lambda: len(queries(api)) == 3, 30)
    assert queries(api)[-1]["resourceVersion"] == "7000"


@pytest.mark.parametrize("expired", [failing(410, "Expired"), error_event(410, "Expired"), error_event(410, "Gone")])
def test_old_version_leads_to_a_list_and_no_deletion_is_lost(api: ScriptedApi, watch: Watched, expired: object) -> None:
    watch.begin().event()
    api.delete(PODS, "shop", "web")
    assert watch.words(1) == ["-web"]
    api.next[PODS].append(expired)
    api.end_watches()
    with api.changed:
        assert api.changed.wait_for(lambda: not api.next[PODS], 30)
        api.delete(PODS, "shop", "db")
        api.put(PODS, "shop", "cart")
    assert "".join(watch.words(1)) in ("listed -db +cart", "listed")
    watch.until("Pod", api.versions(PODS))


def test_list_of_a_version_that_the_server_does_not_have_is_asked_for_without_version(
    api: ScriptedApi, watch: Watched
) -> None:
    watch.begin().event()
    too_new = failing(504, "Timeout", "Too large resource version: 1002, current: 1000")
    api.next[PODS] += [failing(410, "Expired"), too_new]
    api.end_watches()
    assert watch.words(1) == ["listed"]
    assert [query.get("resourceVersion") for query in queries(api)] == [None, "1002", "1002", None]


def test_deletions_of_a_list_come_first(api: ScriptedApi, watch: Watched) -> None:
    watch.begin().event()

    def relist(answer: Answer) -> None:
        api.put(PODS, "shop", "a")
        api.delete(PODS, "shop", "web")
        api.put(PODS, "shop", "db", phase="Pending")
        failing(410, "Expired")(answer)

    api.next[PODS].append(relist)
    api.end_watches()
    found = listed(watch.event())
    assert words(found.changes[0]) == "-web"
    assert sorted(words(each) for each in found.changes) == ["+a", "+db", "-web"]
    assert watch.versions() == api.versions(PODS)


def test_errors_wait_twice_as_long_each_time_until_two_minutes_pass(api: ScriptedApi, watch: Watched) -> None:
    watch.begin().event()
    api.next[PODS] += [failing(429, "TooManyRequests")] * 8
    api.end_watches()
    assert [event.split(":")[0] for event in watch.words(2)] == ["trouble", "restored"]
    assert watch.clock.waits[1:] == [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]
    assert not any("sendInitialEvents" in query for query in queries(api)[1:])
    watch.clock.time += 121
    api.next[PODS].append(failing(429, "TooManyRequests"))
    api.end_watches()
    assert [event.split(":")[0] for event in watch.words(2)] == ["trouble", "restored"]
    assert watch.clock.waits[-1] == 0.8


@pytest.mark.parametrize(("asked", "waited"), [("17", 17.0), ("3600", 60.0)])
def test_server_may_ask_to_wait_longer(api: ScriptedApi, watch: Watched, asked: str, waited: float) -> None:
    watch.begin().event()
    api.next[PODS].append(failing(429, "TooManyRequests", **{"Retry-After": asked}))
    api.end_watches()
    message, restored = watch.words(2)
    assert "429" in message
    assert restored == "restored"
    assert watch.clock.waits[-1] == waited


def test_watch_that_ends_at_once_is_an_error_and_not_asked_for_without_a_pause(
    api: ScriptedApi, watch: Watched
) -> None:
    watch.begin().event()
    api.next[PODS] += [cut_short] * 3
    api.end_watches()
    assert watch.words(1)[0].startswith("trouble: cluster test: watch Pod: the watch ended at once")
    assert watch.words(1)[0] == "listed"
    assert watch.words(1)[0] == "restored"
    assert watch.clock.waits[1:] == [0.8, 1.6, 3.2]


def test_failures_of_a_watch_in_a_row_lead_to_a_list(api: ScriptedApi, watch: Watched) -> None:
    watch.begin().event()
    api.next[PODS] += [failing(500, "InternalError"), error_event(500, "InternalError"), failing(503)]
    api.delete(PODS, "shop", "web")
    assert watch.words(1) == ["-web"]
    api.end_watches()
    found = watch.words(5)
    assert [event.split(":")[0] for event in found] == ["trouble", "trouble", "trouble", "listed", "restored"]
    assert "sendInitialEvents" in queries(api)[-1]


def test_event_that_breaks_off_in_the_middle_comes_again(api: ScriptedApi, watch: Watched) -> None:
    def half(answer: Answer) -> None:
        answer.start()
        answer.line("ADDED", api.put(PODS, "shop", "cart"))
        api.put(PODS, "shop", "till")
        answer.text(b'{"type": "ADDED", "object": {"kind": "Pod", "metadata": {"na')
        answer.cut()

    watch.begin().event()
    api.next[PODS].append(half)
    api.end_watches()
    first, trouble, restored, second = watch.words(4)
    assert (first, restored, second) == ("+cart", "restored", "+till")
    assert "broke off" in trouble
    assert watch.versions() == api.versions(PODS)


def test_watch_that_breaks_off_after_some_time_goes_on_at_once(api: ScriptedApi, watch: Watched) -> None:
    lasted = threading.Semaphore(0)

    def broken_off(answer: Answer) -> None:
        answer.start()
        answer.line("ADDED", api.put(PODS, "shop", "cart"))
        lasted.acquire(timeout=30)
        answer.cut()

    watch.begin().event()
    api.next[PODS] += [broken_off] * 3
    api.end_watches()
    for _ in range(3):
        assert watch.words(1) == ["+cart"]
        watch.clock.time += SHORT
        lasted.release()
    api.put(PODS, "shop", "till")
    assert watch.words(1) == ["+till"]
    assert watch.clock.waits == [0.0]


def test_connection_that_is_dead_is_noticed_by_its_silence(api: ScriptedApi, watch: Watched) -> None:
    def half_open(answer: Answer) -> None:
        answer.start()
        answer.silence()

    watch.read_timeout = 0.2
    watch.begin().event()
    api.next[PODS].append(half_open)
    api.end_watches()
    while watch.words(1)[0].split(":")[0] != "trouble":
        pass
    api.put(PODS, "shop", "cart")
    watch.until("Pod", api.versions(PODS))


def test_large_event_comes_whole(api: ScriptedApi, watch: Watched) -> None:
    watch.begin().event()
    api.put(PODS, "shop", "cart", data="x" * 1_600_000)
    change = watch.event()
    assert isinstance(change, ObjectChange)
    assert change.body is not None
    assert len(bytes(change.body)) > 1_600_000


def test_line_without_an_end_is_given_up(api: ScriptedApi, watch: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(answer: Answer) -> None:
        answer.start()
        answer.text(b"x" * 2_000_000)
        answer.silence()

    monkeypatch.setattr("ovsnp.kubernetes.lines.LONGEST", 1 << 20)
    watch.begin().event()
    api.next[PODS].append(endless)
    api.end_watches()
    assert "a line of more than 1 MiB came" in watch.words(1)[0]


def test_objects_of_a_streamed_list_may_come_in_any_order_and_change_meanwhile(
    api: ScriptedApi, watch: Watched
) -> None:
    web, db = api.objects[PODS]["shop", "web"], api.objects[PODS]["shop", "db"]

    def odd_order(answer: Answer) -> None:
        answer.start()
        for type_, each in (("ADDED", db), ("ADDED", web), ("MODIFIED", db), ("DELETED", web)):
            answer.line(type_, each)
        answer.bookmark(1002, INITIAL_END)
        answer.end()

    api.next[PODS].append(odd_order)
    assert watch.begin().words(1) == ["listed +db"]


def test_list_and_changes_may_come_in_one_piece(api: ScriptedApi, watch: Watched) -> None:
    def in_one_piece(answer: Answer) -> None:
        web, db = api.objects[PODS]["shop", "web"], api.objects[PODS]["shop", "db"]
        bookmark = {"metadata": {"resourceVersion": "1002", "annotations": INITIAL_END}}
        lines = [("ADDED", web), ("ADDED", db), ("BOOKMARK", bookmark), ("ADDED", api.put(PODS, "shop", "cart"))]
        text = b"".join(json.dumps({"type": type_, "object": each}).encode() + b"\n" for type_, each in lines)
        more = json.dumps({"type": "ADDED", "object": api.put(PODS, "shop", "till")}).encode() + b"\n"
        answer.start()
        answer.text(text + more[:40])
        answer.text(more[40:])
        answer.end()

    api.next[PODS].append(in_one_piece)
    assert watch.begin().words(3) == ["listed +web +db", "+cart", "+till"]
    assert watch.versions() == api.versions(PODS)


def test_lines_that_are_no_events_are_an_error_and_nothing_is_lost(api: ScriptedApi, watch: Watched) -> None:
    def nonsense(answer: Answer) -> None:
        answer.start()
        answer.text(b'{"type": "LATER", "object": {}}\n')

    def no_json(answer: Answer) -> None:
        answer.start()
        answer.text(b"<html>\n")

    def no_name(answer: Answer) -> None:
        answer.start()
        answer.line("ADDED", {"metadata": {}})

    watch.begin().event()
    api.next[PODS] += [nonsense, no_json, no_name]
    api.end_watches()
    found = watch.words(5)
    assert [event.split(":")[0] for event in found] == ["trouble", "trouble", "trouble", "listed", "restored"]
    assert not any("internal error" in event for event in found)


def test_kind_that_an_older_server_does_not_know_has_no_objects(api: ScriptedApi) -> None:
    api.next[SERVICE_CIDRS.path].append(failing(404, "NotFound"))
    with watched(api_server(api.url), SERVICE_CIDRS) as watch:
        event = listed(watch.begin().event())
        assert (event.kind, event.resource_version, event.changes) == ("ServiceCIDR", "", [])
        assert listed(watch.event()).resource_version == "1002"
        assert watch.clock.waits == [0.0, 600.0]


def test_kind_that_every_server_has_is_missed(api: ScriptedApi, watch: Watched) -> None:
    api.unknown.add(PODS)
    assert "trouble: cluster test: watch Pod: the API server has none" in watch.begin().words(1)[0]
    api.unknown.clear()
    assert watch.words(2) == ["listed +db +web", "restored"]


def test_forbidden_kind_names_the_rule(api: ScriptedApi, watch: Watched) -> None:
    said = 'pods is forbidden: User "system:serviceaccount:a:b" cannot watch resource "pods"'
    api.next[PODS].append(failing(403, "Forbidden", said))
    assert watch.begin().words(1) == [
        f"trouble: cluster test: watch Pod: forbidden: {said}; give to system:serviceaccount:a:b a ClusterRole with"
        ' the rule apiGroups: [""], resources: ["pods"], verbs: ["watch"]'
    ]


def test_mistake_of_the_program_is_trouble_and_the_watch_goes_on(
    api: ScriptedApi, watch: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ovsnp.kubernetes.reflector.read_line", lambda _: 1 / 0)
    assert watch.begin().words(1) == ["trouble: internal error, please report it: ZeroDivisionError: division by zero"]
    monkeypatch.undo()
    assert watch.words(1)[0].startswith("listed")
