"""What a plugin may say of its source, and what is here of it."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from faultbench.acquisition.holdings import look, present
from faultbench.acquisition.publication import ChecksFiles, Publication, PublishedFile, publication_of
from faultbench.discovery import Registered, _publication_flaw
from faultbench.errors import DataError, PluginError
from faultbench.offers import Offer


@pytest.mark.parametrize(
    "path", ["", "/x", "../x", "a/../b", "a//b", "./a", ".hidden", "a/.b", "a\\b", "C:a", "a\n", "a/", "a. ", "a.", "x" * 201, None]
)
def test_a_path_that_could_lead_elsewhere_is_refused(path):
    with pytest.raises(PluginError, match="is no path of a published file"):
        PublishedFile(path)
    with pytest.raises(PluginError, match="is no path of a published file"):
        PublishedFile("good.rar", holds=(path,))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "x.mat", "http://a b", "javascript:x", "http://é"])
def test_an_address_that_is_not_of_the_web_is_refused(url):
    with pytest.raises(PluginError, match=r"is no address of a.mat: give http"):
        PublishedFile("a.mat", (url,))


def test_ill_formed_digests_and_sizes_are_refused():
    for digest in ("abc", "G" * 64, "A" * 64):
        with pytest.raises(PluginError, match="give 64 hexadecimal digits"):
            PublishedFile("a.mat", sha256=digest)
    with pytest.raises(PluginError, match="give bytes, or None"):
        PublishedFile("a.mat", size_bytes=-1)


def test_one_path_twice_is_refused_whatever_the_case():
    with pytest.raises(PluginError, match="published twice"):
        Publication(files=(PublishedFile("a.mat"), PublishedFile("A.mat")))
    with pytest.raises(PluginError, match="published twice"):
        Publication(files=(PublishedFile("a.rar", holds=("x/1",)), PublishedFile("b.rar", holds=("x/1",))))


def test_a_folder_outside_the_data_folder_is_refused():
    with pytest.raises(PluginError, match="is no folder of a data set"):
        Publication(folders=("../x",))


def test_sizes_that_are_not_known_are_estimated():
    files = (PublishedFile("a", size_bytes=10), PublishedFile("b", size_bytes=20), PublishedFile("c"))
    assert Publication(files=files).estimate(files[2]) == 15
    assert Publication(files=files).size_bytes == 45
    assert Publication(files=files, about_bytes=300).estimate(files[2]) == 100
    assert not Publication(files=files).complete_sizes
    assert Publication(files=files[:2]).complete_sizes
    assert Publication(files=files[2:]).size_bytes is None


def registered(publication):
    return Registered(Offer("far", "made:Up", "far away", publication=publication), "third-party", "1", builtin=False)


@pytest.fixture
def made_up(monkeypatch):
    module = ModuleType("made_up_publication")
    monkeypatch.setitem(sys.modules, "made_up_publication", module)
    return module


def test_what_a_plugin_publishes_is_its_own_functions_answer(made_up):
    made_up.published = lambda: Publication(licence="mine")
    assert publication_of(registered("made_up_publication:published")) == Publication(licence="mine")
    assert publication_of(registered("")) is None


def _raises():
    raise ZeroDivisionError("on\npurpose")


@pytest.mark.parametrize(
    ("published", "said"),
    [
        (_raises, r"cannot be read \(ZeroDivisionError: on purpose\): repair or update third-party"),
        (dict, "gives dict, not a faultbench.api.Publication"),
        (lambda: Publication(files=(PublishedFile("../x"),)), "is ill-formed: '../x' is no path"),
        (lambda: sys.exit(3), "cannot be read .SystemExit: 3"),
        (None, "cannot be read .AttributeError"),
    ],
)
def test_a_plugin_that_fails_is_named_in_one_line(made_up, published, said):
    if published:
        made_up.published = published
    with pytest.raises(PluginError, match=said) as error:
        publication_of(registered("made_up_publication:published"))
    assert "\n" not in str(error.value)


def test_what_a_plugin_prints_meanwhile_is_no_result(made_up, capsys):
    made_up.published = lambda: print("noise") or Publication()
    publication_of(registered("made_up_publication:published"))
    assert capsys.readouterr().out == ""


def test_an_ill_formed_offer_of_a_publication_is_a_flaw():
    assert _publication_flaw(Offer("x", "a:B", "", publication="a.b:c"), "datasets") == ""
    assert "package.module:function" in _publication_flaw(Offer("x", "a:B", "", publication="nonsense"), "datasets")
    assert "only a data set" in _publication_flaw(Offer("x", "a:B", "", publication="a.b:c"), "learners")


def test_a_reader_that_checks_files_is_known_by_its_method():
    class Checks:
        def check_file(self, file):
            pass

    assert isinstance(Checks(), ChecksFiles)
    assert not isinstance(object(), ChecksFiles)


def put(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"x")


FILES = Publication(files=(PublishedFile("a.mat"), PublishedFile("d/b.mat"), PublishedFile("c.rar", holds=("c/1", "c/2"))))


def test_what_is_here_is_told_by_names(tmp_path):
    put(tmp_path / "far", "a.mat", "c/1", "c/2", "stranger.mat", "d/a.mat")
    holding = look("far", FILES, tmp_path)
    assert [file.path for file in holding.here] == ["a.mat", "c.rar"], "an archive whose files are all there need not be"
    assert [file.path for file in holding.missing] == ["d/b.mat"]
    assert holding.folder == tmp_path / "far"
    assert holding.packed == ()


def test_an_archive_that_is_unpacked_in_part_is_missing_and_one_that_is_packed_is_here(tmp_path):
    put(tmp_path / "far", "a.mat", "c/1")
    holding = look("far", FILES, tmp_path)
    assert "c.rar" in [file.path for file in holding.missing]
    assert holding.partly == {"c.rar": 1}
    assert [file.path for file in holding.in_part] == ["c.rar"]
    put(tmp_path / "far", "c.rar")
    holding = look("far", FILES, tmp_path)
    assert "c.rar" in [file.path for file in holding.here]
    assert holding.partly == {"c.rar": 1}, "its reader may take the folder, and lack the rest"
    assert holding.in_part == ()
    assert holding.packed == ()
    (tmp_path / "far" / "c" / "1").unlink()
    assert [file.path for file in look("far", FILES, tmp_path).packed] == ["c.rar"]


def test_the_folder_that_the_reader_takes_is_the_one(tmp_path):
    put(tmp_path, "a.mat")
    assert look("far", FILES, tmp_path).folder == tmp_path / "."
    put(tmp_path / "far", "d/b.mat")
    assert look("far", FILES, tmp_path).folder == tmp_path / "far"
    assert look("far", FILES, tmp_path / "empty").folder == tmp_path / "empty" / "far"


def test_folders_and_what_is_no_file_do_not_count(tmp_path):
    (tmp_path / "a.mat").mkdir()
    assert present(tmp_path, ["a.mat"]) == frozenset()
    assert present(tmp_path / "none", ["a.mat"]) == frozenset()


def test_a_folder_that_cannot_be_listed_is_said(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("faultbench.acquisition.holdings.os.scandir", refuse)
    with pytest.raises(DataError, match="cannot be listed, Permission denied: check its permissions"):
        present(tmp_path, ["a.mat"])
