"""report.html opened in headless Chromium: clicked through, narrow, dark, and silent on the console."""

from __future__ import annotations

import json

import pytest
from helpers.browser import find, needs_browser, resize
from helpers.command_line import TINY_DEC

Keys = pytest.importorskip("selenium.webdriver.common.keys", reason="needs selenium (extra dev)").Keys
pytestmark = needs_browser


def numbers(driver) -> list[int]:
    return [int(card.get_attribute("data-number")) for card in find(driver, "#cards .card")]


@pytest.mark.parametrize("images", [False, True], ids=["table", "images"])
def test_the_page_is_used_as_a_person_would(cli_run, browser, images):
    source = [
        "data=digits",
        "n_clusters=3",
        "method=idec",
        "net.dims=[16,4]",
        "pretrain.max_epochs=1",
        "fit.max_steps=2",
    ]
    run = cli_run(*source, "trainer.accelerator=cpu") if images else cli_run(*TINY_DEC)
    assert run.code == 0, run.err
    browser.get((run.folder / "report.html").as_uri())
    sizes = run.scores["fit"]["cluster_sizes"]
    by_size = sorted((k for k in range(3) if sizes[k]), key=lambda k: -sizes[k])
    assert numbers(browser) == by_size
    assert len(find(browser, "#map circle")) == sum(sizes)
    assert bool(find(browser, ".pictures img")) == images
    assert all(image.get_property("naturalWidth") > 0 for image in find(browser, ".pictures img"))

    find(browser, "#legend button")[0].click()  # the largest cluster alone
    assert len(find(browser, "#map.chosen circle.on")) == sizes[by_size[0]]
    assert [card.get_attribute("data-number") for card in find(browser, ".card.on")] == [str(by_size[0])]
    assert find(browser, "#all")[0].is_displayed()
    find(browser, "#all")[0].click()
    assert find(browser, "#map.chosen") == []

    find(browser, ".card")[-1].click()
    assert [card.get_attribute("data-number") for card in find(browser, ".card.on")] == [str(by_size[-1])]
    for option in find(browser, "#sort option"):
        if option.get_attribute("value") == "number":
            option.click()
    assert numbers(browser) == sorted(by_size)

    # Coarser groups hold these cards, without a reload; as chosen brings them back
    levels = json.loads((run.folder / "levels.json").read_text())["levels"]
    names = [label.text for label in find(browser, "#levels label")]
    assert names == [level["name"] for level in levels]
    find(browser, "#levels input")[0].send_keys(Keys.SPACE)
    groups = [item.text.splitlines() for item in find(browser, "#legend li")]
    assert sorted(int(size.replace(",", "")) for _, size in groups) == sorted(levels[0]["sizes"])
    assert sorted(numbers(browser)) == sorted(by_size)
    find(browser, "#legend button")[0].click()
    assert len(find(browser, "#map.chosen circle.on")) == int(groups[0][1].replace(",", ""))
    find(browser, "#levels input:checked")[0].send_keys(Keys.ARROW_RIGHT)
    assert [find(browser, "#map.chosen"), numbers(browser)] == [[], sorted(by_size)]

    for section in ("#clusters", "#scores", "#training", "#labels", "#made"):
        find(browser, f"nav a[href='{section}']")[0].click()
        assert find(browser, section)[0].is_displayed()
    assert browser.get_log("browser") == []


def test_the_page_fits_a_narrow_screen_and_a_dark_one(cli_run, browser):
    run = cli_run(*TINY_DEC)
    browser.get((run.folder / "report.html").as_uri())
    light = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    resize(browser, 360, 740)
    assert browser.execute_script("return document.documentElement.scrollWidth") == 360
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    ink, paper = browser.execute_script(
        "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
    )
    assert paper != light
    assert brightness(ink) - brightness(paper) > 150
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_screen_says_what_was_found_whether_to_trust_it_and_what_to_do_now(cli_run, browser, scheme):
    run = cli_run(*TINY_DEC)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    for width, height in ((1280, 800), (390, 844)):
        resize(browser, width, height)
        browser.get((run.folder / "report.html").as_uri())
        verdict = run.scores["verdict"]
        for selector, text in ((".lead", verdict["found"]), (".trust", verdict["trust"])):
            (shown,) = find(browser, f".verdict {selector}")
            assert text in shown.text
            assert shown.rect["y"] + shown.rect["height"] <= height
        assert find(browser, ".next code")[0].text == verdict["then"]
        assert len(find(browser, ".rivals tr")) >= 3
        assert browser.execute_script("return document.documentElement.scrollWidth") == width
    ink, paper = browser.execute_script(
        "const s = getComputedStyle(document.querySelector('.trust b'));"
        "return [s.color, getComputedStyle(document.body).backgroundColor]"
    )
    assert abs(brightness(ink) - brightness(paper)) > 80


def brightness(color: str) -> float:
    """Mean of red, green and blue of `rgb(r, g, b)`."""
    return sum(float(part) for part in color.split("(")[1].rstrip(")").split(",")[:3]) / 3
