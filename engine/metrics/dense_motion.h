#pragma once

// Motion of every pixel (Farneback's optical flow: Two-Frame Motion Estimation Based on Polynomial Expansion, 2003).
// Frames are handed over one by one, so that a long video need not fit into memory.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/core/frame.h"
#include "engine/metrics/observation.h"

namespace mirror::metrics {

// A flow needs a grey picture of the frame before; this keeps it.
class FlowSteps {
public:
    FlowSteps();
    ~FlowSteps();
    FlowSteps(FlowSteps&&) noexcept;
    FlowSteps& operator=(FlowSteps&&) noexcept;

    // The length of every pixel's movement since the frame before, in pixels; nothing for the first frame. All frames
    // have one size, at least 16 pixels on each side.
    std::optional<std::vector<float>> add(const Frame& frame);

private:
    struct Before;
    std::unique_ptr<Before> before_;
};

// The box around the face in all frames, enlarged 1.2 times, in pixels of the frame; nothing without a face.
std::optional<FaceBox> face_region(const ObservedClip& clip);

// Mean movement inside a fixed region that is brought to 112 x 112 pixels, mean over all pairs of frames.
class FaceFlow {
public:
    explicit FaceFlow(const FaceBox& region) : region_(region) {}

    void add(const Frame& frame);
    std::optional<double> mean() const;  // Pixels of the 112; nothing with fewer than two frames.

private:
    FaceBox region_;
    FlowSteps steps_;
    double sum_ = 0;
    std::int64_t pairs_ = 0;
};

// Whether a clip moves, by VBench's rule (Huang et al., 2024): frames at about 8 a second; a pair of them moves if the
// mean of its fastest 5 % of pixels exceeds 6/256 of the shorter side; the clip is dynamic if at least 4 of 16 frames
// do. VBench takes the flow from the network RAFT. This takes it from Farneback's method, which needs no network, so
// the figures are comparable with one another and not with VBench's.
struct DynamicScore {
    bool dynamic = false;
    std::int64_t frames = 0;        // After thinning to 8 a second.
    std::int64_t moving_pairs = 0;  // Of frames - 1.
    double speed = 0;               // Mean over the pairs of the fastest 5 %, in 1/256 of the shorter side.
};

class DynamicDegree {
public:
    explicit DynamicDegree(double frames_per_second);

    void add(const Frame& frame);
    DynamicScore score() const;

private:
    std::int64_t interval_ = 1;
    std::int64_t seen_ = 0;
    FlowSteps steps_;
    DynamicScore score_;
};

// The mean of the largest twentieth of the numbers, at least of one.
double mean_of_fastest(std::vector<float> speeds);

}  // namespace mirror::metrics
