#pragma once

// How much the person of a video looks like the person of the references, and how that holds over the video.

#include <optional>
#include <span>
#include <vector>

#include "engine/metrics/observation.h"

namespace mirror::metrics {

// A: the mean of the similarities to each reference. B: the similarity to the references' mean direction. With one
// reference both are the same.
enum class IdAverage { Similarities, MeanDirection };

// One number a frame, nothing where no face was found.
using Series = std::vector<std::optional<double>>;

Series similarity_series(std::span<const FaceSeen> references, const ObservedClip& clip, IdAverage average);

// Of the numbers that are there; nothing if none is.
std::optional<double> mean_of(const Series& series);

// What the similarity loses from the first to the last position of the series. LeastSquares: along the straight line
// through the points that are there. FirstLast: between the first and the last of them. Nothing with fewer than two.
enum class DecayFit { LeastSquares, FirstLast };
std::optional<double> similarity_decay(const Series& series, DecayFit fit);

// The mean similarity of neighbouring frames that both show a face (inter-frame similarity).
std::optional<double> inter_frame_similarity(const ObservedClip& clip);

}  // namespace mirror::metrics
