"""What the built-in data sets say of their sources, and the check of a single file that each of their readers makes."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from faultbench.acquisition.archive import tool
from faultbench.acquisition.getting import Request, get_from
from faultbench.acquisition.publication import ChecksFiles, publication_of
from faultbench.acquisition.verifying import WRONG, verify
from faultbench.errors import DataError
from faultbench.registry import Registry, make
from faultbench_datasets import publications
from faultbench_datasets.cwru import Cwru
from faultbench_datasets.cwru.records import records
from faultbench_datasets.paderborn import Paderborn
from faultbench_datasets.uestc import Uestc
from faultbench_datasets.xjtu_sy import HEADER, SAMPLES, XjtuSy

spec = importlib.util.spec_from_file_location("paderborn_layout", Path(__file__).with_name("paderborn_layout.py"))
assert spec
assert spec.loader
layout = importlib.util.module_from_spec(spec)
spec.loader.exec_module(layout)

REGISTRY = Registry.discover(plugins=False)
NAMES = [registered.offer.name for registered in REGISTRY.offers("datasets") if registered.offer.name != "folder"]
"""All but the user's own folder, which nobody publishes."""
GOT = [name for name in NAMES if name != "simulated"]
PUBLISHED = {name: publication_of(REGISTRY.find("datasets", name)) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_every_built_in_set_says_what_its_source_publishes(name):
    publication = PUBLISHED[name]
    assert publication is not None
    assert publication.licence
    assert publication.embedded == (name == "simulated")
    if not publication.embedded:
        assert publication.homepage
        assert publication.cite
        assert publication.how
        assert publications.UNTRIED in publication.notes, "nobody has tried the addresses"


def test_every_record_of_cwru_has_an_address_and_the_known_digests():
    files = PUBLISHED["cwru"].files
    assert [file.path for file in files] == [f"{record.number}.mat" for record in records()]
    assert len(files) == 161
    assert all(file.urls == (f"https://engineering.case.edu/sites/default/files/{file.path}",) for file in files)
    known = [file for file in files if file.sha256]
    assert len(known) == 122
    assert [file.path for file in known if not file.checked] == ["98.mat", "99.mat", "100.mat"]
    assert all(file.size_bytes for file in known)


def test_paderborn_is_32_archives_of_80_measurements_and_its_terms_are_said():
    publication = PUBLISHED["paderborn"]
    assert len(publication.files) == 32
    assert {len(file.holds) for file in publication.files} == {80}
    assert "forbids commercial use" in publication.terms
    assert not any(file.checked for file in publication.files), "their digests were read elsewhere, and refuse nothing"
    assert publication.files[0].urls == ("https://groups.uni-paderborn.de/kat/BearingDataCenter/K001.rar",)


def test_xjtu_sy_is_9216_minutes_without_a_direct_link():
    files = PUBLISHED["xjtu_sy"].files
    assert len(files) == 9216
    assert files[0].path == "35Hz12kN/Bearing1_1/1.csv"
    assert not any(file.urls for file in files)


def test_uestc_is_80_pieces_at_one_state_of_the_repository():
    files = PUBLISHED["uestc"].files
    assert len(files) == 80
    assert files[0].path == "N_800_1.mat"
    assert files[0].urls[0].endswith("/2091a655c31b075f0388b96bb7e81f4e3099b027/Data/N_800/N_800_1.mat")


@pytest.mark.parametrize("name", GOT)
def test_every_reader_can_check_a_single_file_and_refuses_what_is_none(name, tmp_path):
    reader = make(REGISTRY.choose("datasets", name), data_dir=tmp_path)
    assert isinstance(reader, ChecksFiles)
    path = tmp_path / Path(PUBLISHED[name].files[0].path).name
    for content in (b"", b"<!doctype html>", b"\x00" * 1000):
        path.write_bytes(content)
        with pytest.raises(DataError) as error:
            reader.check_file(path)
        assert "\n" not in str(error.value)


def mat(path, **variables):
    from scipy.io import savemat

    savemat(path, variables)
    return path


def test_a_cwru_file_of_another_record_is_refused(tmp_path):
    signal = np.random.default_rng(0).normal(size=(24_000, 1))
    Cwru().check_file(mat(tmp_path / "105.mat", X105_DE_time=signal, X105_FE_time=signal))
    Cwru().check_file(mat(tmp_path / "3001.mat", X056_DE_time=signal))
    Cwru().check_file(mat(tmp_path / "109.mat", X109_DE_time=np.tile(signal, (4, 1))))
    for name, variables, said in [
        ("105.mat", {"X106_DE_time": signal}, "has no variable of record 105, it holds X106_DE_time"),
        ("278.mat", {"X278_DE_time": signal}, "has no variable of record 278"),
        ("105.mat", {"X105_DE_time": signal * 1e4}, "no acceleration in g"),
        ("105.mat", {"X105_DE_time": signal * np.nan}, "not finite"),
        ("105.mat", {"X105_DE_time": signal[:100]}, "less than 1 s"),
        ("x.mat", {"X105_DE_time": signal}, "is no file of the source"),
    ]:
        with pytest.raises(DataError, match=said):
            Cwru().check_file(mat(tmp_path / name, **variables))


def test_a_uestc_file_is_checked_signal_and_all(tmp_path):
    signal = np.random.default_rng(0).normal(size=(40_000, 1))
    said = {"SampleFrequency": 20_000.0, "Linecount": 1.0, "Datacount": 40_000.0}
    Uestc().check_file(mat(tmp_path / "N_800_1.mat", Data=signal, **said))
    for name, changed, wrong in [
        ("N_800_1.mat", {"Data": signal * 1e5}, "the strongest shock is about 10"),
        ("N_800_1.mat", {"SampleFrequency": 10.0}, "says 10 Hz"),
        ("N_900_1.mat", {}, "is no file of the source"),
    ]:
        with pytest.raises(DataError, match=wrong):
            Uestc().check_file(mat(tmp_path / name, **{"Data": signal, **said, **changed}))


def test_a_minute_of_xjtu_sy_is_checked_row_by_row(tmp_path):
    rows = [",".join(HEADER), *("0.1,-0.1" for _ in range(SAMPLES))]
    (tmp_path / "1.csv").write_text("\n".join(rows) + "\n")
    XjtuSy().check_file(tmp_path / "1.csv")
    rows[20_000] = "0.1,oops"
    (tmp_path / "1.csv").write_text("\n".join(rows) + "\n")
    with pytest.raises(DataError, match=r"1\.csv"):
        XjtuSy().check_file(tmp_path / "1.csv")


@pytest.mark.skipif(tool() is None, reason="no bsdtar: install libarchive-tools to test unpacking RAR")
def test_an_archive_of_paderborn_is_taken_over_checked_and_read(tmp_path):
    original = layout.write_measurement(tmp_path / "made", "KA01").read_bytes()
    mine = tmp_path / "mine"
    mine.mkdir()
    names = [path for file in PUBLISHED["paderborn"].files if file.path == "KA01.rar" for path in file.holds]
    layout.write_rar5(mine / "KA01.rar", dict.fromkeys(names, original))
    layout.write_rar5(mine / "KA03.rar", {"KA03/N15_M07_F10_KA03_1.mat": original})
    reader = Paderborn(data_dir=tmp_path / "data")
    outcome = get_from(Request("paderborn", PUBLISHED["paderborn"], tmp_path / "data", reader), mine)
    assert outcome.got == ("KA01.rar",)
    assert "lacks 79 of the 80 measurements" in outcome.failed["KA03.rar"]
    assert outcome.odd == {"KA01.rar": "its SHA-256 is not the known one"}
    assert len(reader.catalogue().recordings) == 80
    assert (tmp_path / "data" / "paderborn" / "KA01").is_dir()


@pytest.mark.parametrize("name", ["cwru", "uestc"])
def test_the_real_files_at_hand_are_none_of_them_wrong(name):
    said = os.environ.get("FAULTBENCH_DATA")
    if not said or not (Path(said) / name).is_dir():
        pytest.skip(f"FAULTBENCH_DATA holds no {name}: these tests need the real recordings")
    reader = make(REGISTRY.choose("datasets", name), data_dir=Path(said))
    _, found = verify(name, PUBLISHED[name], Path(said), reader)
    assert [file for file in found if file.grade == WRONG] == []
    assert any(file.grade != "missing" for file in found)
