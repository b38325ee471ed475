// Random numbers by counter, and the noise that photons leave in a line integral.
//
// Philox4x32-10 (Salmon et al., SC 2011, doi:10.1145/2063384.2063405) turns (index of the pixel,
// number of the draw) and a key into four random words: every pixel has its own stream, whatever
// thread or device works on it. Poisson numbers: sequential inversion below a mean of 10,
// transformed rejection PTRS above (Hoermann, Insurance: Math. and Economics 12, 39, 1993,
// doi:10.1016/0167-6687(93)90997-4).
#pragma once

#include "base/elementary_math.hpp"

namespace pyrad::dose {

struct Words {
    u32 at[4];
};

PYRAD_HD Words philox(u64 index, u32 draw, u32 purpose, u64 key) {
    u32 c0 = static_cast<u32>(index), c1 = static_cast<u32>(index >> 32), c2 = draw, c3 = purpose;
    u32 k0 = static_cast<u32>(key), k1 = static_cast<u32>(key >> 32);
    for (int round = 0; round < 10; ++round) {
        const u64 a = static_cast<u64>(0xD2511F53u) * c0;
        const u64 b = static_cast<u64>(0xCD9E8D57u) * c2;
        c0 = static_cast<u32>(b >> 32) ^ c1 ^ k0;
        c2 = static_cast<u32>(a >> 32) ^ c3 ^ k1;
        c1 = static_cast<u32>(b);
        c3 = static_cast<u32>(a);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
}

// In (0, 1), 53 bits.
PYRAD_HD double uniform(u32 high, u32 low) {
    return (static_cast<double>(high >> 5) * 67108864.0 + static_cast<double>(low >> 6) + 0.5) *
           (1.0 / 9007199254740992.0);
}

// Stirling's series; below 10 from (k + 10)!. For k >= 0, without a branch.
PYRAD_HD double log_factorial(double k) {
    const double product = (k + 1) * (k + 2) * (k + 3) * (k + 4) * (k + 5) * (k + 6) * (k + 7) *
                           (k + 8) * (k + 9) * (k + 10);
    const bool small = k < 10;
    const double n = small ? k + 10 : k, less = small ? product : 1.0;
    const double r = 1 / n, r2 = r * r;
    return (n + 0.5) * elementary::log_of(n) - n + 0.91893853320467274178 +
           r * (1.0 / 12 - r2 * (1.0 / 360 - r2 * (1.0 / 1260))) - elementary::log_of(less);
}

PYRAD_HD double small_poisson(double mean, double u) {
    double probability = elementary::exp_of(-mean), sum = probability;
    double k = 0;
    while (u > sum && k < 150) {
        k += 1;
        probability *= mean / k;
        sum += probability;
    }
    return k;
}

struct Trial {
    double count;
    int accepted; // by the squeeze, which takes most of them without a logarithm
};

PYRAD_HD Trial poisson_trial(double mean, const Words &w) {
    const double b = 0.931 + 2.53 * sqrt(mean), a = -0.059 + 0.02483 * b;
    const double squeeze = 0.9277 - 3.6224 / (b - 2);
    const double u = uniform(w.at[0], w.at[1]) - 0.5, v = uniform(w.at[2], w.at[3]);
    const double edge = 0.5 - fabs(u);
    const int large = mean >= 10, inside = edge >= 0.07, below = v <= squeeze;
    return {floor((2 * a / edge + b) * u + mean + 0.43), large & inside & below};
}

// The slower test, for what the squeeze leaves; smaller means get an answer without meaning.
PYRAD_HD int poisson_accepts(double mean, double k, const Words &w) {
    mean = max_of(mean, 10.0);
    const double v = uniform(w.at[2], w.at[3]);
    const double edge = 0.5 - fabs(uniform(w.at[0], w.at[1]) - 0.5);
    const double b = 0.931 + 2.53 * sqrt(mean), a = -0.059 + 0.02483 * b;
    const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    const double drawn = elementary::log_of(v * inverse_alpha / (a / (edge * edge) + b));
    const double bound = k * elementary::log_of(mean) - mean - log_factorial(max_of(k, 0.0));
    const int possible = k >= 0, central = edge >= 0.013, under = v <= edge, fits = drawn <= bound;
    return possible & (central | under) & fits;
}

// After a first trial in vain; means >= 10.
PYRAD_HD double poisson_retry(double mean, u64 index, u64 key) {
    for (u32 draw = 1;; ++draw) {
        const Words w = philox(index, draw, 0, key);
        const Trial trial = poisson_trial(mean, w);
        if (trial.accepted || poisson_accepts(mean, trial.count, w))
            return trial.count;
    }
}

PYRAD_HD double poisson(double mean, u64 index, u64 key) {
    const Words w = philox(index, 0, 0, key);
    if (mean < 10)
        return small_poisson(mean, uniform(w.at[0], w.at[1]));
    const Trial trial = poisson_trial(mean, w);
    if (trial.accepted || poisson_accepts(mean, trial.count, w))
        return trial.count;
    return poisson_retry(mean, index, key);
}

// cos(2 pi u) for u in (0, 1), from the power series within an eighth of a turn.
PYRAD_HD double cos_turn(double u) {
    const double t = 4 * u - 2; // quarters of a turn from the half turn
    const double quarter = floor(t + 0.5), f = (t - quarter) * 1.57079632679489661923, z = f * f;
    double even = 1.0 / 20922789888000.0;
    even = -1.0 / 87178291200.0 + z * even;
    even = 1.0 / 479001600.0 + z * even;
    even = -1.0 / 3628800.0 + z * even;
    even = 1.0 / 40320.0 + z * even;
    even = -1.0 / 720.0 + z * even;
    even = 1.0 / 24.0 + z * even;
    even = 1.0 + z * (-0.5 + z * even);
    double odd = 1.0 / 355687428096000.0;
    odd = -1.0 / 1307674368000.0 + z * odd;
    odd = 1.0 / 6227020800.0 + z * odd;
    odd = -1.0 / 39916800.0 + z * odd;
    odd = 1.0 / 362880.0 + z * odd;
    odd = -1.0 / 5040.0 + z * odd;
    odd = 1.0 / 120.0 + z * odd;
    odd = f * (1.0 + z * (-1.0 / 6.0 + z * odd));
    const double side = quarter * quarter; // 0, 1 or 4 quarters from the half turn, squared
    return side == 0 ? -even : (side == 4 ? even : quarter * odd);
}

// Standard normal number (Box, Muller).
PYRAD_HD double normal(u64 index, u64 key) {
    const Words w = philox(index, 0, 1, key);
    const double radius = sqrt(-2 * elementary::log_of(uniform(w.at[0], w.at[1])));
    return radius * cos_turn(uniform(w.at[2], w.at[3]));
}

// Line integral that so many counts stand for: readings below half a count are raised to it, as
// they have no logarithm.
PYRAD_HD double line_of(double counts, double open) {
    return -elementary::log_of(max_of(counts, 0.5) / open);
}

// Measured line integral with the noise added that a fraction of its dose would have had: Yu et
// al., J. Comput. Assist. Tomogr. 36, 477, 2012, doi:10.1097/RCT.0b013e318258e891, equation 9.
PYRAD_HD double noisier_line(double line, double open, double electronic, double fraction,
                             u64 index, u64 key) {
    const double quantum = elementary::exp_of(line) / open;
    const double share = electronic * electronic * quantum * (1 + fraction) / fraction;
    const double variance = (1 / fraction - 1) * quantum * (1 + share);
    return line + sqrt(variance) * normal(index, key);
}

} // namespace pyrad::dose
