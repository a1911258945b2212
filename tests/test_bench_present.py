"""Samples as frames, tables and figures. All samples here are synthetic: made up, and marked so."""

import pandas as pd
import pytest

from labkit.bench.statistics import summarise
from labkit.model.base import Provenance, Text
from labkit.model.bench import ProcessSample, Sample, Slice
from labkit.present.samples import samples_figure, samples_frame, samples_table
from labkit.words import Language


def synthetic(kernel="fft-4096", times_ns=(100_000.0,) * 6, *, warnings=(), provenance=Provenance.SYNTHETIC):
    processes = tuple(
        ProcessSample(
            position=position,
            slices=(Slice(iterations=10, wall_time_ns=round(10 * time), cpu_time_ns=round(9 * time)),),
            allocated_bytes_per_op=48.0 + position,
            allocations_per_op=2.0,
            involuntary_switches=0,
            peak_memory_bytes=8_000_000 + position,
            translated=None,
        )
        for position, time in enumerate(times_ns)
    )
    return Sample(
        kernel=kernel,
        title=Text(id=f"bench.kernel.{kernel}.title", values={"payload_bytes": 32768}),
        suite_version=1,
        unit="ns/op",
        wall=summarise(times_ns),
        cpu=summarise([0.9 * time for time in times_ns]),
        cpu_share=summarise([0.9 for _ in times_ns]),
        processes=processes,
        checked=Text(id=f"bench.kernel.{kernel}.checked"),
        warnings=tuple(warnings),
        single_threaded=True,
        payload_bytes=32768,
        platform="linux/arm64",
        go_version="go1.27.3",
        gomaxprocs=2,
        seed=1,
        slice_time_ms=20,
        toolchain="",
        worker="",
        taken_at="2026-11-23T12:00:00+00:00",
        provenance=provenance,
    )


FEW = Text(id="bench.warning.few", values={"n": 5, "least": 6})
BUSY = Text(id="bench.warning.busy", values={"percent": 47})

SIX = synthetic(times_ns=(90_000.0, 95_000.0, 99_000.0, 101_000.0, 105_000.0, 123_456.0))
FIVE = synthetic("grpc-echo-bufconn", times_ns=(210.0, 220.0, 230.0, 240.0, 250.0), warnings=(FEW, BUSY))


def test_the_frames_columns_dtypes_and_values():
    frame = samples_frame([SIX, FIVE])
    texts = {"kernel", "warnings", "provenance"}
    assert {name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])} == texts
    assert frame["n"].dtype == "int64"
    assert all(frame[name].dtype == "float64" for name in frame if name not in texts | {"n"})
    six, five = frame.to_dict("records")
    assert (six["wall_ns_per_op"], six["low_ns_per_op"], six["high_ns_per_op"], six["n"]) == (1e5, 9e4, 123_456, 6)
    assert (six["confidence"], six["cpu_ns_per_op"], six["cpu_share"]) == (0.96875, 9e4, 0.9)
    assert (six["allocated_bytes_per_op"], six["allocations_per_op"]) == (50.5, 2.0)
    assert six["provenance"] == "synthetic"
    assert pd.isna(five["low_ns_per_op"])
    assert pd.isna(five["high_ns_per_op"])
    assert pd.isna(five["confidence"])
    assert "need at least 6 processes" in five["warnings"]


def test_a_frame_of_nothing_has_the_same_columns_and_dtypes():
    assert list(samples_frame([]).dtypes) == list(samples_frame([SIX]).dtypes)
    assert list(samples_table([])) == list(samples_table([SIX]))


def test_the_table_is_for_reading():
    six, five = samples_table([SIX, FIVE], Language.ENGLISH).to_dict("records")
    assert six["Kernel"] == "FFT: one real frame of 4096 samples (32768 bytes; at 192 kHz it lasts 21.33 ms)"
    assert (six["Wall time"], six["95 % interval"], six["Processes"]) == ("100 µs", "90.0 µs \u2013 123 µs", "6")
    assert (six["CPU time"], six["CPU share"], six["Peak memory"]) == ("90.0 µs", "90%", "8.0 MB")
    assert six["Doubts"] == "Synthetic: made up for a test, not measured."
    assert five["95 % interval"] == "none: too few processes"
    assert "host busy" in five["Doubts"]
    assert "存疑之处" in samples_table([SIX], Language.CHINESE)


@pytest.mark.parametrize(
    ("time_ns", "shown"),
    [
        (0.25, "0.250 ns"), (1.5, "1.50 ns"), (145.3, "145 ns"), (999.4, "999 ns"), (999.7, "1.00 µs"),
        (1_234, "1.23 µs"), (12_345, "12.3 µs"), (1.5e6, "1.50 ms"), (2.5e9, "2.50 s"), (1.2345e12, "1,230 s"),
    ],
)  # fmt: skip
def test_times_have_three_digits_and_a_fitting_unit(time_ns, shown):
    assert samples_table([synthetic(times_ns=(time_ns,) * 6)], Language.ENGLISH)["Wall time"].item() == shown


def rows(figure):
    return [annotation.text for annotation in figure.layout.annotations]


def test_the_figure_asks_its_question_and_shows_n_intervals_and_doubts():
    figure = samples_figure([SIX, FIVE], Language.ENGLISH)
    assert figure.layout.title.text == "How long does one operation take here?"
    assert figure.layout.xaxis.type == "log"
    six, five = rows(figure)
    assert "<b>FFT: one real frame" in six
    assert "100 µs, 96.9 % interval 90.0 µs \u2013 123 µs, n = 6" in six
    assert "Synthetic" in six
    assert "230 ns, n = 5" in five
    assert "no interval: need at least 6 processes" in five
    assert "host busy" in five


def test_intervals_are_drawn_where_there_are_any_and_dots_are_hollow_elsewhere():
    figure = samples_figure([SIX, FIVE], Language.ENGLISH)
    solid, hollow = [trace for trace in figure.data if trace.name == "wall time"]
    assert (solid.marker.symbol, hollow.marker.symbol) == ("circle", "circle-open")
    assert (solid.x[0] - solid.error_x.arrayminus[0], solid.x[0] + solid.error_x.array[0]) == (90_000, 123_456)
    assert (hollow.x[0], hollow.error_x.array) == (230, None)


def test_clocks_are_told_apart_by_shape_and_each_stands_once_in_the_legend():
    for samples in ([SIX, FIVE], [SIX], [FIVE]):
        figure = samples_figure(samples, Language.ENGLISH)
        assert {trace.marker.symbol.removesuffix("-open") for trace in figure.data} == {"circle", "diamond"}
        assert sorted(t.name for t in figure.data if t.showlegend) == ["CPU time, all threads", "wall time"]


def test_ticks_name_times_and_everything_lies_within_the_axis():
    wide = samples_figure([SIX, FIVE], Language.ENGLISH).layout.xaxis
    assert list(wide.ticktext) == ["100 ns", "1 µs", "10 µs", "100 µs"]
    narrow = samples_figure([SIX], Language.ENGLISH).layout.xaxis
    assert {"50 µs", "100 µs"} <= set(narrow.ticktext)
    assert 10 ** wide.range[0] < 0.9 * 210
    assert 10 ** wide.range[1] > 123_456


def test_nothing_measured_is_said():
    assert rows(samples_figure([], Language.ENGLISH)) == ["not measured: the run holds no sample"]


def test_a_kernel_of_another_version_is_shown_by_its_id():
    other = synthetic("quantum-sort", warnings=(Text(id="bench.warning.gravity", values={"g": 9.8}),))
    (row,) = rows(samples_figure([other], Language.ENGLISH))
    assert "quantum-sort" in row
    assert "gravity" in row
