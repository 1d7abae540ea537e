"""gallery.html as a person uses it: looked through, named, merged, marked, saved, opened; whatever files are called."""

from __future__ import annotations

import base64
import json
import os
import shutil
import time

import numpy as np
import pytest
from helpers.browser import find, needs_browser, resize
from helpers.organizing import run_organize
from helpers.pictures import page, scene
from PIL import ExifTags, Image

from deepcluster_pl.evaluation.facets import Facets
from deepcluster_pl.evaluation.levels import Level, Levels
from deepcluster_pl.organize.choices import read_choices
from deepcluster_pl.reporting.gallery import partition_digest
from deepcluster_pl.reporting.gallery.page import _level_facts, script_json
from deepcluster_pl.reporting.gallery.selection import GalleryPicture
from deepcluster_pl.runs import results

Select = pytest.importorskip("selenium.webdriver.support.ui", reason="needs selenium (extra dev)").Select
Keys = pytest.importorskip("selenium.webdriver.common.keys", reason="needs selenium (extra dev)").Keys
pytestmark = needs_browser
OPENED = """return document.getElementById('picture').naturalWidth > 128 ||
    document.getElementById('about').textContent.includes('small copy')"""
FOLDED = """const name = document.querySelector('#find');
    return [name.checkVisibility({ contentVisibilityAuto: true }), document.querySelector('#bar').offsetHeight < 120]"""
FACTS = '<script id="facts" type="application/json">'
TIMELINE = """
    // Eight bars, a day each: a press, a drag, a press again, and keys
    const box = document.querySelector("#bars"), bars = [...box.children], edges = box.getBoundingClientRect();
    const count = document.querySelector("#count");
    const at = place => edges.left + (place + 0.5) * edges.width / bars.length;
    const send = (event, target) => target.dispatchEvent(event);
    const point = (kind, place) => send(new PointerEvent(kind, { clientX: at(place), bubbles: true }), box);
    box.setPointerCapture = () => {};
    const drag = (from, to) => { point("pointerdown", from); point("pointermove", to); point("pointerup", to); };
    const key = (name, shiftKey) =>
        send(new KeyboardEvent("keydown", { key: name, bubbles: true, shiftKey }), document.activeElement);
    const seen = [];
    const see = () => seen.push(count.textContent + "; " + document.querySelector("#period").textContent);
    drag(2, 2); see();
    drag(5, 3); see();
    drag(5, 3); see();
    key("Home"); key("ArrowRight", true); see();
    key("Escape");
    return [bars.length === 8 && bars[0].title === "Jul 1, 2019: 1", seen[0] === "1 of 17; Jul 3, 2019",
        seen[1] === "3 of 17; Jul 4, 2019 – Jul 6, 2019" && seen[2] === "17 pictures; 9 without a date",
        seen[3] === "2 of 17; Jul 1, 2019 – Jul 2, 2019" && count.textContent === "17 pictures"];
"""
HOSTILE = [
    "<img src=x onerror=alert(1)>.jpg", "</script><script>alert(2)</script>.jpg".replace("/", "\u2044"), "q\"u'o.jpg",
    "=cmd().jpg", "#1 %41?.jpg", os.fsdecode(b"caf\xe9.jpg"), "照片.jpg", "a b.jpg",
]  # fmt: skip


def say_facets(data, parts):
    """In the place of networks: scenes show a tabby, and pages are made."""
    kinds = {part: [str(name).split("/")[0] for name in data.part(part).ids] for part in parts}
    objects = {part: ["tabby 0.62" if kind == "scenes" else "" for kind in some] for part, some in kinds.items()}
    pages = [name for part in parts for name in data.part(part).ids if name.startswith("pages")]
    return Facets({"objects": objects}, {"Kind": {"made": pages, "natural": []}})


@pytest.fixture
def run(tmp_path, cli_run, monkeypatch):
    """A run on sixteen pictures with hostile names, half of them dated and placed, and one copy."""
    monkeypatch.setattr(results, "find_facets", say_facets)
    root = tmp_path / "library"
    for number, name in enumerate(HOSTILE):
        for folder, make in (("scenes", scene), ("pages", page)):
            (root / folder).mkdir(parents=True, exist_ok=True)
            exif = Image.Exif()
            if folder == "scenes":
                exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"2019:07:{number + 1:02d} 12:00:00"
                exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (12.0, 58.0, 0.0), 3: "E", 4: (77.0, 35.0, 0.0)})
            with open(root / folder / name, "wb") as file:
                make(number, 200, 160).save(file, "JPEG", exif=exif)
    with Image.open(root / "scenes" / "a b.jpg") as image:
        image.resize((100, 80)).save(root / "scenes" / "small copy.jpg")
    made = cli_run(
        "data=images", f"data.root={root}", "method=photos/kmeans", "n_clusters=3", "net.latent_dim=4",
        "data.features.side=64", "data.features.blocks=[palette,layout,drawing]", "data.reading_processes=0",
        "trainer.accelerator=cpu",
    )  # fmt: skip
    assert made.code == 0, made.err
    return made


def type_into(driver, selector, text):
    driver.execute_script(
        "const e = document.querySelector(arguments[0]); e.value = arguments[1];"
        "e.dispatchEvent(new Event('input', {bubbles: true})); e.dispatchEvent(new Event('change', {bubbles: true}));",
        selector, text,
    )  # fmt: skip


def groups(driver):
    return [int(card.get_attribute("data-number")) for card in find(driver, "#cards .card")]


def saved(driver, folder):
    """What the Save button hands to the browser."""
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    find(driver, "#save")[0].click()
    deadline = time.monotonic() + 20
    while not (folder / "gallery.json").is_file():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return folder / "gallery.json"


def test_the_gallery_is_used_as_a_person_would(run, browser, tmp_path):
    browser.get((run.folder / "gallery.html").as_uri())
    ids = [row["id"] for row in run.assignments]
    clusters = [int(row["cluster"]) for row in run.assignments]
    sizes = {k: clusters.count(k) for k in set(clusters)}
    assert sorted(groups(browser), key=lambda k: -sizes[k]) == groups(browser)
    assert set(groups(browser)) == set(sizes)
    assert find(browser, "#count")[0].text == "17 pictures"
    assert int(find(browser, "#map")[0].get_attribute("data-pictures")) > 0

    type_into(browser, "#find", "small COPY")
    assert find(browser, "#count")[0].text == "1 of 17"
    type_into(browser, "#find", "")
    type_into(browser, "#from", "2019-07-03")
    type_into(browser, "#to", "2019-07-04")
    assert find(browser, "#count")[0].text == "2 of 17"
    type_into(browser, "#from", "")
    type_into(browser, "#to", "")
    place = Select(find(browser, "#place")[0])
    assert [option.text for option in place.options] == ["anywhere", "Bengaluru, India (8)"]
    place.select_by_index(1)
    assert find(browser, "#count")[0].text == "8 of 17"
    place.select_by_index(0)
    assert [chip.text for chip in find(browser, ".chip")] == ["made (8)"]
    find(browser, ".chip")[0].click()
    assert find(browser, "#count")[0].text == "8 of 17"
    find(browser, ".chip")[0].click()
    type_into(browser, "#find", "Tabby")
    assert find(browser, "#count")[0].text == "9 of 17"
    type_into(browser, "#find", "")
    assert "GeoNames" in find(browser, "footer")[0].text
    assert browser.execute_script(TIMELINE) == [True] * 4

    assert len(find(browser, "#sets .set")) == 1
    names = sorted(image.get_attribute("alt") for image in find(browser, "#sets img"))
    assert names == [
        "scenes/a b.jpg",
        "scenes/small copy.jpg",
    ]
    assert find(browser, "#sets .kind")[0].text == "The same picture"
    assert "the best" in find(browser, "#sets figcaption")[0].text
    assert not any(box.is_selected() for box in find(browser, "#sets input"))
    find(browser, "#sets input")[1].click()

    largest, second = groups(browser)[:2]
    name = f'.card[data-number="{largest}"] .head input'
    type_into(browser, name, "<b>Holi & Diwali</b>")
    Select(find(browser, f'.card[data-number="{second}"] .edit select')[0]).select_by_visible_text(
        "<b>Holi & Diwali</b>"
    )
    assert second not in groups(browser)
    rest = next(k for k in groups(browser) if k != largest)
    find(browser, f'.card[data-number="{rest}"] .can-go input')[0].click()
    choices = saved(browser, tmp_path)
    found = json.loads(choices.read_text())
    marked = found["can_go"]
    assert {tuple(sorted(g["clusters"])): (g["name"], g["can_go"]) for g in found["groups"]} == {
        tuple(sorted((largest, second))): ("<b>Holi & Diwali</b>", False), (rest,): ("", True)
    }  # fmt: skip
    assert [g["clusters"][0] for g in found["groups"] if len(g["clusters"]) > 1] == [largest]  # it gives the name
    assert len(marked) == 1
    assert marked[0] in ("scenes/a b.jpg", "scenes/small copy.jpg")
    read = read_choices(choices, partition_digest(ids, clusters))
    assert read.group_name(second) == "<b>Holi & Diwali</b>"

    browser.refresh()  # what was chosen is still there, and can be taken back
    assert find(browser, name)[0].get_property("value") == "<b>Holi & Diwali</b>"
    find(browser, f'.card[data-number="{largest}"] .split')[0].click()
    assert set(groups(browser)) == set(sizes)
    assert find(browser, name)[0].get_property("value") == "<b>Holi & Diwali</b>"
    find(browser, "#open")[0].send_keys(str(choices))
    deadline = time.monotonic() + 20
    while second in groups(browser) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert second not in groups(browser)
    assert browser.get_log("browser") == []


def test_each_picture_opens_its_own_file_whatever_it_is_called_with_its_group_and_its_like(run, browser):
    browser.get((run.folder / "gallery.html").as_uri())
    assert find(browser, "#cards script, #cards [onerror]") == []
    for thumb in find(browser, "#cards .card .mosaic:nth-of-type(2) .thumb") or find(browser, "#cards .thumb"):
        browser.execute_script("arguments[0].click()", thumb)
        deadline = time.monotonic() + 20
        while not browser.execute_script(OPENED):
            assert time.monotonic() < deadline, thumb.get_attribute("title")
            time.sleep(0.05)
        find(browser, "#large [aria-label=Close]")[0].click()
    assert browser.get_log("browser") == []

    # Keys lead through the group, once around
    def opened():
        return browser.execute_script("return escape(document.getElementById('about').textContent.split('\\n')[0])")

    titles = "return [...document.querySelector(arguments[0]).children].map(thumb => escape(thumb.title))"
    members = browser.execute_script(titles, "#cards .mosaic")
    find(browser, "#cards .thumb")[0].click()
    seen = [opened()]
    for _ in members:
        find(browser, "#large")[0].send_keys(Keys.ARROW_RIGHT)
        seen.append(opened())
    assert seen == [*members, members[0]]
    find(browser, "#previous")[0].click()
    assert opened() == members[-1]

    # Below are the pictures that are most like it; that of a copy is its original
    alike = browser.execute_script(titles, "#similar")
    assert len(set(alike) - {members[-1]}) == 8
    find(browser, "#similar .thumb")[0].click()
    assert opened() == alike[0]
    nearest = """const facts = JSON.parse(document.getElementById('facts').textContent);
        return facts.ids[facts.similar[facts.ids.indexOf('scenes/small copy.jpg')][0]]"""
    assert browser.execute_script(nearest) == "scenes/a b.jpg"


def test_it_fits_a_narrow_screen_and_regroups_by_level(run, browser, tmp_path):
    browser.get((run.folder / "gallery.html").as_uri())
    resize(browser, 360, 740)
    assert browser.execute_script("return document.documentElement.scrollWidth") == 360
    browser.refresh()
    assert browser.execute_script(FOLDED) == [False, True]  # filters are folded on a phone
    find(browser, "#filters summary")[0].click()
    assert browser.execute_script(FOLDED) == [True, False]
    levels = json.loads((run.folder / "levels.json").read_text())["levels"]
    assert [label.text for label in find(browser, "#levels label")] == [level["name"] for level in levels]
    before = groups(browser)
    find(browser, "#levels input")[0].send_keys(Keys.SPACE)  # the coarse level merges groups
    assert len(groups(browser)) == levels[0]["n_groups"] == 2
    type_into(browser, f'.card[data-number="{groups(browser)[0]}"] .head input', "Together")
    choices = json.loads(saved(browser, tmp_path).read_text())
    assert choices["level"] == "coarse"
    assert sorted(len(group["clusters"]) for group in choices["groups"]) == [1, 2]
    browser.refresh()
    assert find(browser, "#levels input:checked")[0].get_attribute("value") == "0"
    assert "Together" in [box.get_property("value") for box in find(browser, ".head input")]
    find(browser, "#levels input:checked")[0].send_keys(Keys.ARROW_RIGHT)
    assert groups(browser) == before
    assert "Together" not in [box.get_property("value") for box in find(browser, ".head input")]

    # A group that comes apart in two: the fine level has a card for each part, with names and colors of its own
    path, halved = with_a_fine_level(run.folder / "gallery.html")
    browser.get(path.as_uri())
    assert [label.text for label in find(browser, "#levels label")] == ["3 as chosen", "4 fine"]
    find(browser, "#levels input:checked")[0].send_keys(Keys.ARROW_RIGHT)
    assert sorted(groups(browser)) == [0, 1, 2, 3]
    shown = {box.get_attribute("placeholder") for box in find(browser, "#cards .head input")}
    assert shown == {f"Group {k}" for k in range(3) if k != halved} | {f"Group {halved}, part {i}" for i in (1, 2)}
    assert len({card.value_of_css_property("border-top-color") for card in find(browser, "#cards .card")}) == 4
    type_into(browser, '.card[data-number="3"] .head input', "The other half")
    (tmp_path / "gallery.json").unlink()
    choices = json.loads(saved(browser, tmp_path).read_text())
    assert (choices["level"], len(choices["groups"])) == ("fine", 4)
    find(browser, "#cards .card[data-number='3'] .thumb")[0].click()
    assert "The other half, probability" in find(browser, "#about")[0].text
    browser.refresh()
    assert find(browser, '.card[data-number="3"] .head input')[0].get_property("value") == "The other half"
    find(browser, "#levels input:checked")[0].send_keys(Keys.ARROW_LEFT)
    assert sorted(groups(browser)) == [0, 1, 2]
    assert not find(browser, "#outside")[0].is_displayed()

    # Pictures in no group have a section of their own, and a group can take them in
    path, apart = with_pictures_in_no_group(run.folder / "gallery.html")
    browser.get(path.as_uri())
    assert sorted(groups(browser)) == [0, 1, 2]
    assert [thumb.get_attribute("title") for thumb in find(browser, "#outside .thumb")] == apart
    assert browser.execute_script("return document.documentElement.scrollWidth") == 360
    Select(find(browser, "#outside select")[0]).select_by_index(1)
    assert not find(browser, "#outside")[0].is_displayed()
    (tmp_path / "gallery.json").unlink()
    choices = json.loads(saved(browser, tmp_path).read_text())
    assert -1 in max((group["clusters"] for group in choices["groups"]), key=len)
    assert browser.get_log("browser") == []


def with_pictures_in_no_group(gallery):
    """A copy of a page in which two pictures are in no group; and their names."""
    before, _, rest = gallery.read_text(encoding="utf-8").partition(FACTS)
    plain, _, after = rest.partition("</script>")
    facts = json.loads(plain)
    for place in (0, 1):
        facts["cluster"][place] = 3
    sizes = np.bincount(facts["cluster"], minlength=4).tolist()
    facts |= {"outside": 3, "colors": [*facts["colors"], "#8a8a8a"], "names": [""] * 4, "sizes": sizes, "levels": None}
    path = gallery.with_name("apart.html")
    path.write_text(f"{before}{FACTS}{script_json(facts | {'partition': 'apart'})}</script>{after}", encoding="utf-8")
    return path, facts["ids"][:2]


def with_a_fine_level(gallery):
    """A copy of a page in which every other picture of the largest group makes a cell of its own; and that group."""
    before, _, rest = gallery.read_text(encoding="utf-8").partition(FACTS)
    plain, _, after = rest.partition("</script>")
    facts = json.loads(plain)
    cluster, halved = np.array(facts["cluster"]), int(np.argmax(facts["sizes"]))
    cells = cluster.copy()
    cells[np.flatnonzero(cluster == halved)[1::2]] = 3
    owner = np.array([0, 1, 2, halved])
    offered = [Level("chosen", owner, [None] * 3, facts["sizes"]), Level("fine", np.arange(4), owner.tolist(), [])]
    levels = Levels({"fit": cells}, owner, np.zeros((3, 2), dtype=np.int64), [1.0] * 3, offered)
    pictures = [GalleryPicture("fit", i, k) for i, k in enumerate(cluster.tolist())]
    facts |= {"levels": _level_facts(levels, pictures, facts["colors"], [""] * 4), "partition": "halved"}
    path = gallery.with_name("fine.html")
    path.write_text(f"{before}{FACTS}{script_json(facts)}</script>{after}", encoding="utf-8")
    return path, halved


def test_five_thousand_pictures_open_within_two_seconds(run, browser, tmp_path):
    text = (run.folder / "gallery.html").read_text(encoding="utf-8")
    before, _, rest = text.partition(FACTS)
    plain, _, after = rest.partition("</script>")
    facts = json.loads(plain)
    rng, n = np.random.default_rng(0), 5000
    small = scene(0, 128, 96)
    for key in ("urls", "cluster", "probability", "doubt", "taken", "coordinates", "towns", "sizes_px", "similar"):
        facts[key] = [facts[key][i % 17] for i in range(n)]
    noisy = []
    for _ in range(500):  # of 4 kB, as a photo's
        picture = np.asarray(small).astype(int) + rng.integers(-20, 20, (96, 128, 3))
        file = tmp_path / "x.jpg"
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(file, quality=72)
        noisy.append(base64.b64encode(file.read_bytes()).decode())
    facts["ids"] = [f"{i}.jpg" for i in range(n)]
    facts["places"] = rng.normal(size=(n, 2)).round(3).tolist()
    facts["thumbnails"], facts["near_duplicates"] = noisy * 10, []
    large = tmp_path / "large.html"
    large.write_text(f"{before}{FACTS}{script_json(facts)}</script>{after}")
    assert 17e6 < large.stat().st_size < 25e6
    # Seconds of the page's own thread: what other programs take does not count
    browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    browser.get(large.as_uri())
    assert find(browser, "#count")[0].text == "5,000 pictures"
    metrics = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    assert 0.01 < next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration") < 2.0


def test_what_was_saved_organizes_the_library(run, browser, tmp_path):
    browser.get((run.folder / "gallery.html").as_uri())
    largest = groups(browser)[0]
    type_into(browser, f'.card[data-number="{largest}"] .head input', "Best of")
    shutil.move(saved(browser, tmp_path), run.folder / "gallery.json")
    assert run_organize(f"run={run.folder}", f"to={tmp_path / 'out'}", "apply=true") == 0
    count = sum(int(row["cluster"]) == largest for row in run.assignments)
    assert len(list((tmp_path / "out" / "Best of").iterdir())) == count
