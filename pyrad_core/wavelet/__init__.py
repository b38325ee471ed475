"""Wavelet transforms with PyWavelets' names, arguments, layouts and values."""

from ._arguments import MODES as modes
from ._arguments import dwt_max_level
from ._dwt import dwt, dwtn, idwt, idwtn, wavedec, wavedecn, waverec, waverecn
from ._swt import iswtn, swt_max_level, swtn
from ._thin import dwt2, idwt2, iswt, iswt2, swt, swt2, wavedec2, waverec2
from .filters import Wavelet, families, wavelist
from .operator import Dwt, Swt
from .packets import WaveletPacket, WaveletPacket2D, WaveletPacketND

__all__ = [
    "Dwt",
    "Swt",
    "Wavelet",
    "WaveletPacket",
    "WaveletPacket2D",
    "WaveletPacketND",
    "dwt",
    "dwt2",
    "dwt_max_level",
    "dwtn",
    "families",
    "idwt",
    "idwt2",
    "idwtn",
    "iswt",
    "iswt2",
    "iswtn",
    "modes",
    "swt",
    "swt2",
    "swt_max_level",
    "swtn",
    "wavedec",
    "wavedec2",
    "wavedecn",
    "wavelist",
    "waverec",
    "waverec2",
    "waverecn",
]
