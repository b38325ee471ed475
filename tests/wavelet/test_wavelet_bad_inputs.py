"""Bad inputs 70 to 75 of the catalogue: each error names the argument, the value and the limit."""

import numpy as np
import pytest

from pyrad_core import DataError, ShapeError
from pyrad_core import wavelet as prw

X = np.random.default_rng(0).standard_normal((16, 20))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: prw.dwt(x, "db2", axis=0),
        lambda x: prw.dwtn(x, "db2"),
        lambda x: prw.wavedecn(x, "db2"),
        lambda x: prw.swtn(x, "db2", 1),
    ],
)
def test_bad_input_70_empty_axis(call):
    with pytest.raises(ShapeError, match=r"\(0, 4\): axis 0 is empty"):
        call(np.zeros((0, 4)))
    with pytest.raises(ShapeError, match="at least 1"):
        prw.dwtn(np.float32(3), "db2")


def test_bad_input_71_level_too_deep():
    with pytest.raises(DataError, match="level is 9; .* at most 2"):
        prw.wavedecn(X, "db2", level=9)
    with pytest.raises(DataError, match="level is -1"):
        prw.wavedecn(X, "db2", level=-1)
    with pytest.raises(ShapeError, match=r"no multiple of 2\*\*3 = 8; at most 2 levels"):
        prw.swtn(X, "db2", level=3)
    with pytest.raises(ShapeError, match="at most 2 levels"):
        prw.swtn(X, "db2", level=2, start_level=2)


def test_bad_input_72_odd_length_of_the_stationary_transform():
    with pytest.raises(ShapeError, match="15 samples along axis 1"):
        prw.swtn(X[:, :15], "haar", 1)


def test_bad_input_73_unknown_wavelet():
    with pytest.raises(DataError, match="'db39'; did you mean 'db.'.*Accepted: haar, db1"):
        prw.dwt(X, "db39")
    with pytest.raises(DataError, match="'symetric'; did you mean"):
        prw.dwt(X, "db3", "symetric")
    with pytest.raises(DataError, match="mode is 3"):
        prw.dwt(X, "db3", 3)
    with pytest.raises(DataError, match="complex256"):
        prw.dwt(X.astype(np.clongdouble), "db3")
    with pytest.raises(DataError, match="expected a name"):
        prw.dwt(X, 7)
    with pytest.raises(ShapeError, match="lengths"):
        prw.dwt(X, ([1, 2], [1, 2], [1, 2], [1, 2, 3]))
    with pytest.raises(DataError, match="NaN"):
        prw.Wavelet("own", ([1, np.nan], [1, 2], [1, 2], [1, 2]))


def test_bad_input_74_wrong_coefficient_shapes():
    bands = prw.dwtn(X, "db2")
    with pytest.raises(ShapeError, match=r"\(8, 10\).*\(9, 11\)"):
        prw.idwtn({**bands, "dd": bands["dd"][:8, :10]}, "db2")
    with pytest.raises(ShapeError, match=r"\(8,\).*\(7,\)"):
        prw.idwt(np.ones(8), np.ones(7), "db2")
    with pytest.raises(ShapeError, match="shorter than"):
        prw.idwt(np.ones(3), np.ones(3), "db8")
    coeffs = prw.wavedecn(X, "db2", level=2)
    with pytest.raises(ShapeError, match="approximation"):
        prw.waverecn([coeffs[0][:3], *coeffs[1:]], "db2")
    levels = prw.swtn(X, "db2", 1)
    with pytest.raises(ShapeError, match="shape"):
        prw.iswtn([{**levels[0], "ad": X[:8]}], "db2")
    with pytest.raises(DataError, match="names of 'a' and 'd'"):
        prw.idwtn({"ax": X}, "db2")
    with pytest.raises(DataError, match="2 letters, but 1 axes"):
        prw.idwtn(bands, "db2", axes=[0])
    for call in (
        lambda: prw.waverecn([], "db2"),
        lambda: prw.waverec([], "db2"),
        lambda: prw.waverecn([None], "db2"),
        lambda: prw.waverecn([X, X], "db2"),
        lambda: prw.waverecn([None, {}], "db2"),
        lambda: prw.idwtn(X, "db2"),
    ):
        with pytest.raises(DataError, match="coeffs"):
            call()
    with pytest.raises(DataError, match="lacks the bands"):
        prw.iswtn([{"aa": X, "ad": X}], "db2")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_bad_input_75_nan(value, dtype):
    for at in [(0, 0), (15, 19), (7, 3)]:
        x = X.astype(dtype)
        x[at] = value
        for call in (
            lambda x: prw.dwtn(x, "db2", "zero"),
            lambda x: prw.dwtn(x, "bior3.1", "periodization"),
            lambda x: prw.wavedecn(x, "haar", level=2),
            lambda x: prw.swtn(x, "coif1", 2),
        ):
            with pytest.raises(DataError, match=rf"data holds 1 NaN or Inf.*\({at[0]}, {at[1]}\)"):
                call(x)
    bands = prw.dwtn(X.astype(dtype), "db2")
    bands["ad"][2, 3] = value
    with pytest.raises(DataError, match=r"band 'ad' holds 1 NaN or Inf.*\(2, 3\)"):
        prw.idwtn(bands, "db2")
    levels = prw.swtn(X.astype(dtype), "db2", 1)
    levels[0]["dd"][1, 0] = value
    with pytest.raises(DataError, match="band 'dd' holds 1"):
        prw.iswtn(levels, "db2")


def test_a_result_that_overflows_is_no_bad_input():
    x = np.full(8, 3e38, np.float32)
    assert np.isinf(prw.dwt(x, "haar")[0]).all()


def test_one_sample_and_reflection():
    with pytest.raises(ShapeError, match="at least 2 samples"):
        prw.dwt(np.ones(1), "haar", "reflect")
    with pytest.raises(DataError, match="only once"):
        prw.wavedecn(X, "db2", axes=(0, 0))
    with pytest.raises(DataError, match="2 dimensions"):
        prw.dwt(X, "db2", axis=2)
