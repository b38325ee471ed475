// The inner loop of rank_filter.cpp for one instruction set: all steps of a network on `block`
// neighbouring voxels. PYRAD_TARGET is its attribute, P its registers.

PYRAD_TARGET void run_steps(const Step *steps, i64 count, float *const *places) {
    constexpr int registers = block / P::width;
    for (const Step *step = steps; step != steps + count; ++step) {
        const float *const a = places[step->a], *const b = places[step->b];
        P::F x[registers], y[registers];
        for (int k = 0; k < registers; ++k) {
            x[k] = P::load(a + k * P::width);
            y[k] = P::load(b + k * P::width);
        }
        if (step->low != unused)
            for (int k = 0; k < registers; ++k)
                P::store(places[step->low] + k * P::width, P::min(x[k], y[k]));
        if (step->high != unused)
            for (int k = 0; k < registers; ++k)
                P::store(places[step->high] + k * P::width, P::max(x[k], y[k]));
    }
}
