"""Names of the features: this package's (PyRadiomics' where it has the feature), IBSI's tag, code.

One :class:`Entry` per feature; a family lists its entries in the order of its results.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

__all__ = ["CLASS_NAMES", "ENTRIES", "Entry", "entries"]


@dataclass(frozen=True)
class Entry:
    """``tag`` is the column ``feature`` of the IBSI reference tables, ``code`` its four letters."""

    name: str
    tag: str | None = None
    code: str | None = None
    pyradiomics: bool = True
    standardised: bool = True  # False: IBSI defines it, but has no reference values

    def belongs_to(self, conventions: str) -> bool:
        return self.pyradiomics if conventions == "pyradiomics" else self.tag is not None


def _ibsi_only(name: str, tag: str, code: str) -> Entry:
    return Entry(name, tag, code, pyradiomics=False)


_FIRST_ORDER = (
    Entry("10Percentile", "stat_p10", "QG58"),
    Entry("90Percentile", "stat_p90", "8DWT"),
    Entry("Energy", "stat_energy", "N8CA"),
    Entry("Entropy"),
    Entry("InterquartileRange", "stat_iqr", "SALO"),
    Entry("Kurtosis", "stat_kurt", "IPH6"),
    Entry("Maximum", "stat_max", "84IY"),
    Entry("MeanAbsoluteDeviation", "stat_mad", "4FUA"),
    Entry("Mean", "stat_mean", "Q4LE"),
    Entry("Median", "stat_median", "Y12H"),
    Entry("Minimum", "stat_min", "1GSF"),
    Entry("Range", "stat_range", "2OJQ"),
    Entry("RobustMeanAbsoluteDeviation", "stat_rmad", "1128"),
    Entry("RootMeanSquared", "stat_rms", "5ZWQ"),
    Entry("Skewness", "stat_skew", "KE2A"),
    Entry("TotalEnergy"),
    Entry("Uniformity"),
    Entry("Variance", "stat_var", "ECT3"),
    _ibsi_only("MedianAbsoluteDeviation", "stat_medad", "N72L"),
    _ibsi_only("CoefficientOfVariation", "stat_cov", "7TET"),
    _ibsi_only("QuartileCoefficientOfDispersion", "stat_qcod", "9S40"),
)

_INTENSITY_HISTOGRAM = tuple(
    _ibsi_only(name, tag, code)
    for name, tag, code in (
        ("Mean", "ih_mean", "X6K6"),
        ("Variance", "ih_var", "CH89"),
        ("Skewness", "ih_skew", "88K1"),
        ("Kurtosis", "ih_kurt", "C3I7"),
        ("Median", "ih_median", "WIFQ"),
        ("Minimum", "ih_min", "1PR8"),
        ("10Percentile", "ih_p10", "1PR8"),
        ("90Percentile", "ih_p90", "GPMT"),
        ("Maximum", "ih_max", "3NCY"),
        ("Mode", "ih_mode", "AMMC"),
        ("InterquartileRange", "ih_iqr", "WR0O"),
        ("Range", "ih_range", "5Z3W"),
        ("MeanAbsoluteDeviation", "ih_mad", "D2ZX"),
        ("RobustMeanAbsoluteDeviation", "ih_rmad", "WRZB"),
        ("MedianAbsoluteDeviation", "ih_medad", "4RNL"),
        ("CoefficientOfVariation", "ih_cov", "CWYJ"),
        ("QuartileCoefficientOfDispersion", "ih_qcod", "SLWD"),
        ("Entropy", "ih_entropy", "TLU2"),
        ("Uniformity", "ih_uniformity", "BJ5W"),
        ("MaximumGradient", "ih_max_grad", "12CE"),
        ("MaximumGradientIntensity", "ih_max_grad_g", "8E6O"),
        ("MinimumGradient", "ih_min_grad", "VQB3"),
        ("MinimumGradientIntensity", "ih_min_grad_g", "RHQZ"),
    )
)

_GLCM = (
    Entry("Autocorrelation", "cm_auto_corr", "QWB0"),
    Entry("JointAverage", "cm_joint_avg", "60VM"),
    Entry("ClusterProminence", "cm_clust_prom", "AE86"),
    Entry("ClusterShade", "cm_clust_shade", "7NFM"),
    Entry("ClusterTendency", "cm_clust_tend", "DG8W"),
    Entry("Contrast", "cm_contrast", "ACUI"),
    Entry("Correlation", "cm_corr", "NI2N"),
    Entry("DifferenceAverage", "cm_diff_avg", "TF7R"),
    Entry("DifferenceEntropy", "cm_diff_entr", "NTRS"),
    Entry("DifferenceVariance", "cm_diff_var", "D3YU"),
    Entry("JointEnergy", "cm_energy", "8ZQL"),
    Entry("JointEntropy", "cm_joint_entr", "TU9B"),
    Entry("Imc1", "cm_info_corr1", "R8DG"),
    Entry("Imc2", "cm_info_corr2", "JN9H"),
    Entry("Idm", "cm_inv_diff_mom", "WF0Z"),
    Entry("Idmn", "cm_inv_diff_mom_norm", "1QCO"),
    Entry("Id", "cm_inv_diff", "IB1Z"),
    Entry("Idn", "cm_inv_diff_norm", "NDRX"),
    Entry("InverseVariance", "cm_inv_var", "E8JP"),
    Entry("MaximumProbability", "cm_joint_max", "GYBY"),
    Entry("SumAverage", "cm_sum_avg", "ZGXS"),
    Entry("SumEntropy", "cm_sum_entr", "P6QZ"),
    Entry("SumSquares", "cm_joint_var", "UR99"),
    Entry("MCC"),
    _ibsi_only("Dissimilarity", "cm_dissimilarity", "8S9J"),
    _ibsi_only("SumVariance", "cm_sum_var", "OEEB"),
)

_LOCAL_INTENSITY = (
    _ibsi_only("LocalPeak", "loc_peak_loc", "VJGA"),
    _ibsi_only("GlobalPeak", "loc_peak_glob", "0F91"),
)

_INTENSITY_VOLUME_HISTOGRAM = (
    _ibsi_only("VolumeAtIntensityFraction10", "ivh_v10", "BC2M"),
    _ibsi_only("VolumeAtIntensityFraction90", "ivh_v90", "BC2M"),
    _ibsi_only("IntensityAtVolumeFraction10", "ivh_i10", "GBPN"),
    _ibsi_only("IntensityAtVolumeFraction90", "ivh_i90", "GBPN"),
    _ibsi_only("VolumeFractionDifference", "ivh_diff_v10_v90", "DDTU"),
    _ibsi_only("IntensityDifference", "ivh_diff_i10_i90", "CNV2"),
    Entry("AreaUnderCurve", "ivh_auc", "9CMM", False, standardised=False),
)

# Runs, zones and dependences: the order of the columns of csrc/texture/size_features.hpp.
_GLRLM = (
    Entry("ShortRunEmphasis", "rlm_sre", "22OV"),
    Entry("LongRunEmphasis", "rlm_lre", "W4KF"),
    Entry("LowGrayLevelRunEmphasis", "rlm_lgre", "V3SW"),
    Entry("HighGrayLevelRunEmphasis", "rlm_hgre", "G3QZ"),
    Entry("ShortRunLowGrayLevelEmphasis", "rlm_srlge", "HTZT"),
    Entry("ShortRunHighGrayLevelEmphasis", "rlm_srhge", "GD3A"),
    Entry("LongRunLowGrayLevelEmphasis", "rlm_lrlge", "IVPO"),
    Entry("LongRunHighGrayLevelEmphasis", "rlm_lrhge", "3KUM"),
    Entry("GrayLevelNonUniformity", "rlm_glnu", "R5YN"),
    Entry("GrayLevelNonUniformityNormalized", "rlm_glnu_norm", "OVBL"),
    Entry("RunLengthNonUniformity", "rlm_rlnu", "W92Y"),
    Entry("RunLengthNonUniformityNormalized", "rlm_rlnu_norm", "IC23"),
    Entry("RunPercentage", "rlm_r_perc", "9ZK5"),
    Entry("GrayLevelVariance", "rlm_gl_var", "8CE5"),
    Entry("RunVariance", "rlm_rl_var", "SXLW"),
    Entry("RunEntropy", "rlm_rl_entr", "HJ9O"),
)

_GLSZM = (
    Entry("SmallAreaEmphasis", "szm_sze", "9SAK"),
    Entry("LargeAreaEmphasis", "szm_lze", "48P8"),
    Entry("LowGrayLevelZoneEmphasis", "szm_lgze", "XMSY"),
    Entry("HighGrayLevelZoneEmphasis", "szm_hgze", "5GN9"),
    Entry("SmallAreaLowGrayLevelEmphasis", "szm_szlge", "5RAI"),
    Entry("SmallAreaHighGrayLevelEmphasis", "szm_szhge", "HW1V"),
    Entry("LargeAreaLowGrayLevelEmphasis", "szm_lzlge", "YH51"),
    Entry("LargeAreaHighGrayLevelEmphasis", "szm_lzhge", "J17V"),
    Entry("GrayLevelNonUniformity", "szm_glnu", "JNSA"),
    Entry("GrayLevelNonUniformityNormalized", "szm_glnu_norm", "Y1RO"),
    Entry("SizeZoneNonUniformity", "szm_zsnu", "4JP3"),
    Entry("SizeZoneNonUniformityNormalized", "szm_zsnu_norm", "VB3A"),
    Entry("ZonePercentage", "szm_z_perc", "P30P"),
    Entry("GrayLevelVariance", "szm_gl_var", "BYLV"),
    Entry("ZoneVariance", "szm_zs_var", "3NSA"),
    Entry("ZoneEntropy", "szm_zs_entr", "GU8N"),
)

_GLDZM = (
    _ibsi_only("SmallDistanceEmphasis", "dzm_sde", "0GBI"),
    _ibsi_only("LargeDistanceEmphasis", "dzm_lde", "MB4I"),
    _ibsi_only("LowGrayLevelZoneEmphasis", "dzm_lgze", "S1RA"),
    _ibsi_only("HighGrayLevelZoneEmphasis", "dzm_hgze", "K26C"),
    _ibsi_only("SmallDistanceLowGrayLevelEmphasis", "dzm_sdlge", "RUVG"),
    _ibsi_only("SmallDistanceHighGrayLevelEmphasis", "dzm_sdhge", "DKNJ"),
    _ibsi_only("LargeDistanceLowGrayLevelEmphasis", "dzm_ldlge", "A7WM"),
    _ibsi_only("LargeDistanceHighGrayLevelEmphasis", "dzm_ldhge", "KLTH"),
    _ibsi_only("GrayLevelNonUniformity", "dzm_glnu", "VFT7"),
    _ibsi_only("GrayLevelNonUniformityNormalized", "dzm_glnu_norm", "7HP3"),
    _ibsi_only("ZoneDistanceNonUniformity", "dzm_zdnu", "V294"),
    _ibsi_only("ZoneDistanceNonUniformityNormalized", "dzm_zdnu_norm", "IATH"),
    _ibsi_only("ZonePercentage", "dzm_z_perc", "VIWW"),
    _ibsi_only("GrayLevelVariance", "dzm_gl_var", "QK93"),
    _ibsi_only("ZoneDistanceVariance", "dzm_zd_var", "7WT1"),
    _ibsi_only("ZoneDistanceEntropy", "dzm_zd_entr", "GBDU"),
)

_NGTDM = (
    Entry("Coarseness", "ngt_coarseness", "QCDE"),
    Entry("Contrast", "ngt_contrast", "65HE"),
    Entry("Busyness", "ngt_busyness", "NQ30"),
    Entry("Complexity", "ngt_complexity", "HDEZ"),
    Entry("Strength", "ngt_strength", "1X9X"),
)

_NGLDM = (
    Entry("SmallDependenceEmphasis", "ngl_lde", "SODN"),
    Entry("LargeDependenceEmphasis", "ngl_hde", "IMOQ"),
    Entry("LowGrayLevelEmphasis", "ngl_lgce", "TL9H"),
    Entry("HighGrayLevelEmphasis", "ngl_hgce", "OAE7"),
    Entry("SmallDependenceLowGrayLevelEmphasis", "ngl_ldlge", "EQ3F"),
    Entry("SmallDependenceHighGrayLevelEmphasis", "ngl_ldhge", "JA6D"),
    Entry("LargeDependenceLowGrayLevelEmphasis", "ngl_hdlge", "NBZI"),
    Entry("LargeDependenceHighGrayLevelEmphasis", "ngl_hdhge", "9QMG"),
    Entry("GrayLevelNonUniformity", "ngl_glnu", "FP8K"),
    _ibsi_only("GrayLevelNonUniformityNormalized", "ngl_glnu_norm", "5SPA"),
    Entry("DependenceNonUniformity", "ngl_dcnu", "Z87G"),
    Entry("DependenceNonUniformityNormalized", "ngl_dcnu_norm", "OKJI"),
    _ibsi_only("DependencePercentage", "ngl_dc_perc", "6XV8"),
    Entry("GrayLevelVariance", "ngl_gl_var", "1PFV"),
    Entry("DependenceVariance", "ngl_dc_var", "DNX2"),
    Entry("DependenceEntropy", "ngl_dc_entr", "FCBV"),
    _ibsi_only("DependenceEnergy", "ngl_dc_energy", "CAS9"),
)

_SHAPE = (
    Entry("MeshVolume", "morph_volume", "RNU0"),
    Entry("VoxelVolume", "morph_vol_approx", "YEKZ"),
    Entry("SurfaceArea", "morph_area_mesh", "C0JK"),
    Entry("SurfaceVolumeRatio", "morph_av", "2PR5"),
    Entry("Sphericity", "morph_sphericity", "QCFX"),
    Entry("Maximum3DDiameter", "morph_diam", "L0JK"),
    Entry("Maximum2DDiameterSlice"),
    Entry("Maximum2DDiameterColumn"),
    Entry("Maximum2DDiameterRow"),
    Entry("MajorAxisLength", "morph_pca_maj_axis", "TDIC"),
    Entry("MinorAxisLength", "morph_pca_min_axis", "P9VJ"),
    Entry("LeastAxisLength", "morph_pca_least_axis", "7J51"),
    Entry("Elongation", "morph_pca_elongation", "Q3CK"),
    Entry("Flatness", "morph_pca_flatness", "N17B"),
    _ibsi_only("Compactness1", "morph_comp_1", "SKGS"),
    _ibsi_only("Compactness2", "morph_comp_2", "BQWJ"),
    _ibsi_only("SphericalDisproportion", "morph_sph_dispr", "KRCK"),
    _ibsi_only("Asphericity", "morph_asphericity", "25C7"),
    _ibsi_only("CentreOfMassShift", "morph_com", "KLMA"),
    _ibsi_only("VolumeDensityAABB", "morph_vol_dens_aabb", "PBX1"),
    _ibsi_only("AreaDensityAABB", "morph_area_dens_aabb", "R59B"),
    Entry("VolumeDensityOMBB", "morph_vol_dens_ombb", "ZH1A", False, standardised=False),
    Entry("AreaDensityOMBB", "morph_area_dens_ombb", "IQYR", False, standardised=False),
    _ibsi_only("VolumeDensityAEE", "morph_vol_dens_aee", "6BDE"),
    _ibsi_only("AreaDensityAEE", "morph_area_dens_aee", "RDD2"),
    Entry("VolumeDensityMVEE", "morph_vol_dens_mvee", "SWZ1", False, standardised=False),
    Entry("AreaDensityMVEE", "morph_area_dens_mvee", "BRI8", False, standardised=False),
    _ibsi_only("VolumeDensityConvexHull", "morph_vol_dens_conv_hull", "R3ER"),
    _ibsi_only("AreaDensityConvexHull", "morph_area_dens_conv_hull", "7T7F"),
    _ibsi_only("IntegratedIntensity", "morph_integ_int", "99N0"),
    _ibsi_only("MoransI", "morph_moran_i", "N365"),
    _ibsi_only("GearysC", "morph_geary_c", "NPT7"),
)

_SHAPE2D = tuple(
    Entry(name)
    for name in (
        "MeshSurface", "PixelSurface", "Perimeter", "PerimeterSurfaceRatio", "Sphericity",
        "MaximumDiameter", "MajorAxisLength", "MinorAxisLength", "Elongation",
    )
)  # fmt: skip

ENTRIES: dict[str, tuple[Entry, ...]] = {
    "first_order": _FIRST_ORDER,
    "local_intensity": _LOCAL_INTENSITY,
    "shape": _SHAPE,
    "shape2d": _SHAPE2D,
    "intensity_volume_histogram": _INTENSITY_VOLUME_HISTOGRAM,
    "intensity_histogram": _INTENSITY_HISTOGRAM,
    "glcm": _GLCM,
    "glrlm": _GLRLM,
    "glszm": _GLSZM,
    "gldzm": _GLDZM,
    "ngtdm": _NGTDM,
    "ngldm": _NGLDM,
}

CLASS_NAMES = {"first_order": "firstorder", "ngldm": "gldm", "shape2d": "shape2D"}
"""PyRadiomics' class of a family, where it differs from the family's name."""


@functools.cache
def entries(family: str, conventions: str) -> tuple[Entry, ...]:
    """The features of a family under these conventions, in the order of the results.

    A family that PyRadiomics does not have lists all of IBSI's.
    """
    return tuple(e for e in ENTRIES[family] if e.belongs_to(conventions)) or ENTRIES[family]
