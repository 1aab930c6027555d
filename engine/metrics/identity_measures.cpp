#include "engine/metrics/identity_measures.h"

namespace mirror::metrics {

namespace {

double similarity(std::span<const FaceSeen> references, std::span<const float> face) {
    double sum = 0;
    for (const FaceSeen& reference : references) sum += cosine(reference.embedding, face);
    return sum / static_cast<double>(references.size());
}

}  // namespace

Series similarity_series(std::span<const FaceSeen> references, const ObservedClip& clip, IdAverage average) {
    const std::vector<float> direction = mean_direction(references);
    Series series;
    for (const ObservedFrame& frame : clip.frames) {
        if (!frame.face || references.empty())
            series.emplace_back();
        else if (average == IdAverage::MeanDirection)
            series.emplace_back(cosine(direction, frame.face->embedding));
        else
            series.emplace_back(similarity(references, frame.face->embedding));
    }
    return series;
}

std::optional<double> mean_of(const Series& series) {
    double sum = 0;
    int count = 0;
    for (const std::optional<double>& value : series) {
        if (!value) continue;
        sum += *value;
        ++count;
    }
    if (count == 0) return std::nullopt;
    return sum / count;
}

std::optional<double> similarity_decay(const Series& series, DecayFit fit) {
    double count = 0, sum_k = 0, sum_s = 0, sum_kk = 0, sum_ks = 0, first = 0, last = 0;
    for (std::size_t i = 0; i < series.size(); ++i) {
        if (!series[i]) continue;
        const auto k = static_cast<double>(i);
        if (count == 0) first = *series[i];
        last = *series[i];
        count += 1;
        sum_k += k;
        sum_s += last;
        sum_kk += k * k;
        sum_ks += k * last;
    }
    if (count < 2) return std::nullopt;
    if (fit == DecayFit::FirstLast) return first - last;
    const double slope = (count * sum_ks - sum_k * sum_s) / (count * sum_kk - sum_k * sum_k);
    return -slope * static_cast<double>(series.size() - 1);
}

std::optional<double> inter_frame_similarity(const ObservedClip& clip) {
    Series series;
    for (std::size_t i = 1; i < clip.frames.size(); ++i) {
        const auto &before = clip.frames[i - 1].face, &now = clip.frames[i].face;
        if (before && now) series.emplace_back(cosine(before->embedding, now->embedding));
    }
    return mean_of(series);
}

}  // namespace mirror::metrics
