"""Wavelet transforms with PyWavelets' names, arguments, layouts and values."""

from ._arguments import MODES as modes
from ._arguments import dwt_max_level
from ._dwt import dwt, dwtn, idwt, idwtn, wavedec, wavedecn, waverec, waverecn
from ._swt import iswtn, swt_max_level, swtn
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
    "dwt_max_level",
    "dwtn",
    "families",
    "idwt",
    "idwtn",
    "iswtn",
    "modes",
    "swt_max_level",
    "swtn",
    "wavedec",
    "wavedecn",
    "waverec",
    "waverecn",
    "wavelist",
]
