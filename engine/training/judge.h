#pragma once

// A trained judge, ready to look at clips.

#include <ATen/ATen.h>

#include <filesystem>
#include <span>
#include <vector>

#include "engine/core/face.h"
#include "engine/core/frame.h"
#include "engine/training/judge_network.h"
#include "engine/training/people/people.h"

namespace mirror::engine::training {

struct Verdict {
    at::Tensor identity;          // [id_dim], length 1: the mean direction over the frames
    at::Tensor frame_identities;  // [T, id_dim], each of length 1
    std::vector<FaceBox> faces;   // One a frame, in its pixels; the score is 1, for the judge always sees one face.
    people::Action action = people::Action::Turn;
    people::Place place = people::Place::Beach;
    people::Style style = people::Style::Cartoon;
};

class Judge {
public:
    // The folder that the training stage has written. EngineError: MissingFile, MalformedFile, MissingTensor.
    static Judge open(const std::filesystem::path& folder);

    // Frames of one clip at about 8 a second, all of one size. EngineError (InvalidRequest) without frames.
    Verdict look_at(std::span<const Frame> frames) const;

private:
    explicit Judge(JudgeNetwork network) : network_(std::move(network)) {}

    JudgeNetwork network_;
};

}  // namespace mirror::engine::training
