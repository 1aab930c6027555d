#pragma once

// Makes the clips of the proof, each once: what lies in the folder is not made again.

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "engine/core/face.h"
#include "engine/core/frame.h"
#include "engine/core/request.h"
#include "engine/session/session.h"
#include "tests/proof/proof_plan.h"

namespace mirror::proof {

struct MakerOptions {
    std::filesystem::path model;
    std::filesystem::path folder;  // For clips and portraits.
    VideoSpec video;
    SamplingSpec sampling;  // But for the seed.
    std::string device = "cpu";
    int references = 1;  // Pictures of each person.
};

class ClipMaker {
public:
    explicit ClipMaker(MakerOptions options);
    ~ClipMaker();

    // EngineError: whatever the session refuses.
    std::vector<Frame> frames_of(const ProofClip& clip);
    // Nothing if the file does not lie there yet.
    bool is_made(const ProofClip& clip) const;

    // The portraits that stand for the person as photographs do: the first ones in which the program finds a face.
    const std::vector<std::filesystem::path>& portraits_of(int person);
    // How many portraits were drawn for one that shows a face, over all people so far.
    double portraits_tried() const;

private:
    std::filesystem::path file_of(const ProofClip& clip) const;
    std::vector<Frame> made(const ProofClip& clip);
    std::vector<Frame> generated(const ProofClip& clip);
    std::vector<Frame> through_autoencoder(const std::vector<Frame>& frames);

    struct Autoencoder;
    MakerOptions options_;
    std::unique_ptr<FaceReader> reader_;
    std::unique_ptr<engine::Session> session_;
    std::unique_ptr<Autoencoder> autoencoder_;
    std::map<int, std::vector<std::filesystem::path>> portraits_;
    int tried_ = 0, found_ = 0;
};

// Frames below one another in one picture, and back.
Frame stacked(const std::vector<Frame>& frames);
std::vector<Frame> unstacked(const Frame& picture, int height);

std::vector<Frame> drawn_frames(const people::SceneRequest& scene);

}  // namespace mirror::proof
