"""The methods behind :func:`pyrad_core.ct.recon`, one function each."""

from .analytic import fbp, fdk
from .common import PER_VIEW, Method, Scan, finish
from .least_squares import cgls, lsqr, os_sart, sart, sirt
from .statistical import mlem, osem, pwls
from .variation import asd_pocs, fista_tv, tv_admm, tv_pdhg

__all__ = ["ALIASES", "METHODS", "Method", "Scan", "finish"]

METHODS: dict[str, Method] = {
    "fbp": Method(fbp, iterative=False),
    "fdk": Method(fdk, iterative=False),
    "sirt": Method(sirt, volumes=4, scans=4, noise=True),
    "sart": Method(sart, volumes=4, scans=3, subsets=PER_VIEW, noise=True),
    "os_sart": Method(os_sart, volumes=4, scans=3, subsets=10, noise=True),
    "cgls": Method(cgls, volumes=4, scans=3, noise=True),
    "lsqr": Method(lsqr, volumes=4, scans=3, noise=True),
    "mlem": Method(mlem, volumes=6, scans=5, noise=True),
    "osem": Method(osem, volumes=5, scans=3, subsets=8, noise=True),
    "fista_tv": Method(fista_tv, volumes=16, scans=2),
    "asd_pocs": Method(asd_pocs, volumes=6, scans=3, subsets=10, noise=True),
    "pwls": Method(pwls, volumes=9, scans=3),
    "tv_pdhg": Method(tv_pdhg, volumes=8, scans=5),
    "tv_admm": Method(tv_admm, volumes=20, scans=2),
}
ALIASES = {"tv": "tv_pdhg", "pdhg": "tv_pdhg", "admm": "tv_admm"}
