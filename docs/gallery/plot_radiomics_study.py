"""
A radiomics study, from images to a heat map
============================================

A simulated cohort whose signal is known: texture in the core of a lesion decides about response
and survival. Features, selection inside nested cross-validation, a survival model, and a map that
shows where the signal is. Needs scikit-learn and lifelines.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.utils import concordance_index
from scipy.ndimage import gaussian_filter
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

import pyrad_core as prc

# %%
# The cohort
# ----------
# Ninety lesions in noise. Every lesion has fine grain; in the core of high-risk lesions the grain
# is coarser. Size and brightness vary, too, and mean nothing.

rng = np.random.default_rng(7)
side, patients = 26, 90
z, y, x = np.indices((side,) * 3) - (side - 1) / 2
risk = rng.uniform(0, 1, patients)


def grain(width):
    field = gaussian_filter(rng.normal(size=(side,) * 3), width)
    return field / field.std()


def lesion(amount):
    """Image, mask of the lesion, and the core that carries the signal."""
    radius = rng.uniform(8, 11)
    mask = z**2 + y**2 + x**2 < radius**2
    core = z**2 + (y - 1) ** 2 + (x + 1) ** 2 < (0.7 * radius) ** 2
    texture = np.where(
        core, np.sqrt(1 - amount) * grain(0.7) + np.sqrt(amount) * grain(2.0), grain(0.7)
    )
    image = mask * (rng.uniform(30, 60) + 12 * texture) + rng.normal(0, 4, mask.shape)
    return image.astype(np.float32), mask.astype(np.uint8), core


lesions = [lesion(amount) for amount in risk]
response = (risk + rng.normal(0, 0.12, patients) > 0.5).astype(int)
death = rng.exponential(30 * np.exp(-4 * (risk - 0.5)))
censored = rng.uniform(10, 90, patients)
months, died = np.minimum(death, censored), death <= censored

# %%
# Features
# --------
# The extractor is a transformer; a row a case, a column a feature.

settings = prc.features.Settings(
    discretisation=("fbn", 16),
    filters={"original": {}, "log": {"sigma": [1.0, 2.0]}},
    families=("first_order", "glcm", "glrlm", "ngtdm"),
)
extractor = prc.features.FeatureExtractor(settings)
cases = [(prc.io.Image(image, (1, 1, 1), np.eye(4)), mask) for image, mask, _ in lesions]
table = extractor.fit_transform(cases)
names = extractor.get_feature_names_out()
kept = np.isfinite(table).all(axis=0) & (table.std(axis=0) > 1e-9 * np.abs(table).max(axis=0))
table, names = table[:, kept], names[kept]
print(f"{table.shape[0]} cases, {table.shape[1]} features")

# %%
# Response: selection belongs inside the cross-validation
# -------------------------------------------------------
# Inner folds choose how many features the LASSO or the recursive elimination keeps; outer folds
# have seen nothing of it. The same with shuffled labels must come out at 0.5.

outer = StratifiedKFold(5, shuffle=True, random_state=0)
inner = StratifiedKFold(4, shuffle=True, random_state=1)
lasso = SelectFromModel(LogisticRegression(l1_ratio=1.0, solver="liblinear", random_state=0))
elimination = RFE(LinearSVC(C=0.01, dual="auto", random_state=0), step=0.5)
studies = {
    "LASSO + SVM": (lasso, {"selectfrommodel__estimator__C": [0.3, 1.0, 3.0], "svc__C": [0.3, 3]}),
    "RFE + SVM": (elimination, {"rfe__n_features_to_select": [5, 20], "svc__C": [0.3, 3]}),
}
scores = {}
for name, (selection, grid) in studies.items():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), selection, SVC()), grid, scoring="roc_auc", cv=inner
    )
    for labels, suffix in ((response, ""), (rng.permutation(response), ", shuffled")):
        found = cross_val_predict(search, table, labels, cv=outer, method="decision_function")
        scores[name + suffix] = roc_auc_score(labels, found)
for name, area in scores.items():
    print(f"{name:<24} area under the curve {area:.2f}")

# %%
# Survival: Cox's model on the features that the training folds choose
# ---------------------------------------------------------------------

hazard = np.zeros(patients)
chosen_by_fold = []
for train, test in outer.split(table, response):
    middle, spread = table[train].mean(axis=0), table[train].std(axis=0) + 1e-12
    scaled = (table - middle) / spread
    # The few features that order the training survival best, none a copy of another.
    alone = np.array([concordance_index(months[train], -f, died[train]) for f in scaled[train].T])
    chosen = []
    for column in np.argsort(-np.abs(alone - 0.5)):
        known = [abs(np.corrcoef(scaled[train, column], scaled[train, c])[0, 1]) for c in chosen]
        if not known or max(known) < 0.7:
            chosen.append(column)
        if len(chosen) == 3:
            break
    chosen_by_fold.append(chosen[0])
    frame = pd.DataFrame(scaled[:, chosen], columns=[f"f{i}" for i in range(len(chosen))])
    frame["months"], frame["died"] = months, died
    cox = CoxPHFitter(penalizer=0.1).fit(frame.iloc[train], "months", "died")
    hazard[test] = cox.predict_log_partial_hazard(frame.iloc[test])
concordance = concordance_index(months, -hazard, died)
print(f"concordance of unseen cases {concordance:.2f}; first features of the folds:")
for column in sorted(set(chosen_by_fold)):
    print("   ", names[column])

# %%
# Where is the signal?
# --------------------
# The same kind of texture as a map, in a lesion of high and one of low risk. The core, outlined,
# is the truth that the map has never seen; the area under the curve tells how well low contrast
# finds it.

extremes = {"high risk": int(np.argmax(risk)), "low risk": int(np.argmin(risk))}
figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
for axis, (title, case) in zip(axes, extremes.items(), strict=False):
    image, mask, core = lesions[case]
    heat = prc.features.maps(
        image, mask, family="glcm", features=["Contrast"], radius=2, settings=settings, spacing=1.0
    )
    volume = next(iter(heat.values()))
    inside = mask > 0
    area = roc_auc_score(core[inside], -volume[inside])
    axis.imshow(image[side // 2], cmap="gray")
    shown = axis.imshow(volume[side // 2], cmap="magma", alpha=0.8, vmin=0, vmax=20)
    axis.contour(core[side // 2] & inside[side // 2], [0.5], colors="cyan", linewidths=1)
    axis.set_title(f"{title}: area {area:.2f}")
    axis.axis("off")
figure.colorbar(shown, ax=axes[:2].tolist(), label="GLCM contrast", shrink=0.8)
order = np.argsort(hazard)
for group, label in (
    (order[: patients // 2], "low hazard"),
    (order[patients // 2 :], "high hazard"),
):
    times = np.sort(months[group])
    at_risk = np.array([(months[group] >= t).sum() for t in times])
    deaths = np.array([died[group][months[group] == t].sum() for t in times])
    axes[2].step(times, np.cumprod(1 - deaths / at_risk), where="post", label=label)
axes[2].set(xlabel="months", ylabel="alive", ylim=(0, 1.02))
axes[2].set_title(f"unseen cases, concordance {concordance:.2f}")
axes[2].legend()
