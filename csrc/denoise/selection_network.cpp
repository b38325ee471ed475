#include "denoise/selection_network.hpp"

#include <algorithm>

namespace pyrad::rank {
namespace {

using Values = std::vector<int>; // numbers of values, in ascending order of what they hold

struct Comparator {
    int a, b; // its results are two new values: the minimum, and the maximum after it
};

// Every value is an input or comes from one comparator, and is read by one comparator at most.
class Builder {
  public:
    explicit Builder(int inputs) : inputs_(inputs) {}

    Values merge(const Values &a, const Values &b) {
        if (a.empty() || b.empty())
            return a.empty() ? b : a;
        if (a.size() == 1 && b.size() == 1) {
            const auto [low, high] = compare(a[0], b[0]);
            return {low, high};
        }
        const Values odd = merge(every_other(a, 0), every_other(b, 0));
        const Values even = merge(every_other(a, 1), every_other(b, 1));
        Values merged{odd[0]};
        size_t k = 0;
        for (; k < even.size() && k + 1 < odd.size(); ++k) {
            const auto [low, high] = compare(even[k], odd[k + 1]);
            merged.push_back(low);
            merged.push_back(high);
        }
        merged.insert(merged.end(), even.begin() + k, even.end());
        merged.insert(merged.end(), odd.begin() + k + 1, odd.end());
        return merged;
    }

    Values merge_all(std::vector<Values> lists) {
        while (lists.size() > 1) {
            std::vector<Values> merged;
            for (size_t k = 0; k + 1 < lists.size(); k += 2)
                merged.push_back(merge(lists[k], lists[k + 1]));
            if (lists.size() % 2)
                merged.push_back(lists.back());
            lists = std::move(merged);
        }
        return lists[0];
    }

    Network network(const Values &outputs) const {
        std::vector<bool> needed(inputs_ + 2 * comparators_.size());
        for (int value : outputs)
            needed[value] = true;
        for (size_t k = comparators_.size(); k-- > 0;)
            if (needed[low(k)] || needed[low(k) + 1])
                needed[comparators_[k].a] = needed[comparators_[k].b] = true;
        return with_places(needed, outputs);
    }

  private:
    int low(size_t comparator) const { return inputs_ + 2 * static_cast<int>(comparator); }

    std::pair<int, int> compare(int a, int b) {
        comparators_.push_back({a, b});
        return {low(comparators_.size() - 1), low(comparators_.size() - 1) + 1};
    }

    static Values every_other(const Values &values, size_t first) {
        Values taken;
        for (size_t k = first; k < values.size(); k += 2)
            taken.push_back(values[k]);
        return taken;
    }

    // Results go where the operands were, or to free scratch where those are inputs.
    Network with_places(const std::vector<bool> &needed, const Values &outputs) const {
        Network network{inputs_, inputs_, {}, {}};
        std::vector<u16> place(needed.size(), unused), free;
        for (int k = 0; k < inputs_; ++k)
            place[k] = static_cast<u16>(k);
        const auto take = [&] {
            if (free.empty())
                return static_cast<u16>(network.places++);
            const u16 taken = free.back();
            free.pop_back();
            return taken;
        };
        for (size_t k = 0; k < comparators_.size(); ++k) {
            const bool keeps[] = {needed[low(k)], needed[low(k) + 1]};
            if (!keeps[0] && !keeps[1])
                continue;
            Step step{place[comparators_[k].a], place[comparators_[k].b], unused, unused};
            for (u16 read : {step.a, step.b})
                if (read >= inputs_)
                    free.push_back(read);
            if (keeps[0])
                step.low = place[low(k)] = take();
            if (keeps[1])
                step.high = place[low(k) + 1] = take();
            network.steps.push_back(step);
        }
        for (int value : outputs)
            network.outputs.push_back(place[value]);
        return network;
    }

    int inputs_;
    std::vector<Comparator> comparators_;
};

std::vector<Values> numbered(int lists, int length) {
    std::vector<Values> values(lists);
    for (int list = 0; list < lists; ++list)
        for (int k = 0; k < length; ++k)
            values[list].push_back(list * length + k);
    return values;
}

} // namespace

Network sorting_network(int count) {
    Builder builder(count);
    return builder.network(builder.merge_all(numbered(count, 1)));
}

Network selection_network(int lists, int length, int rank) {
    Builder builder(lists * length);
    const Values sorted = builder.merge_all(numbered(lists, length));
    return builder.network({sorted[rank]});
}

} // namespace pyrad::rank
