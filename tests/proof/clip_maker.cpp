#include "tests/proof/clip_maker.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <cstring>

#include "engine/core/durable_replace.h"
#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/face/face_reader.h"
#include "engine/face/face_tensors.h"
#include "engine/face/photograph.h"
#include "engine/media/png_sink.h"
#include "engine/session/model_folder.h"
#include "engine/training/drawn_data.h"

namespace mirror::proof {

namespace fs = std::filesystem;

namespace {

constexpr int kPortraitSide = 256;
constexpr int kMostPortraits = 24;  // Drawn for one person before the proof gives up.
constexpr std::uint64_t kPortraitSeed = 9'000'000;

class FramesInMemory : public VideoSink {
public:
    void begin(const VideoSpec&, const std::string&) override { frames.clear(); }
    void write(const Frame& frame) override { frames.push_back(frame); }
    void finish() override {}

    std::vector<Frame> frames;
};

std::vector<Frame> frames_of_signal(const at::Tensor& signal) {  // [3, T, H, W], -1..1
    const at::Tensor pixels = engine::training::to_pixels(signal).permute({1, 2, 3, 0}).contiguous();
    std::vector<Frame> frames;
    for (std::int64_t t = 0; t < pixels.size(0); ++t) {
        Frame frame{static_cast<int>(pixels.size(2)), static_cast<int>(pixels.size(1)), {}};
        const auto* first = pixels[t].const_data_ptr<std::uint8_t>();
        frame.rgb.assign(first, first + pixels[t].numel());
        frames.push_back(std::move(frame));
    }
    return frames;
}

}  // namespace

struct ClipMaker::Autoencoder {
    engine::CogVideoXVae vae;
};

ClipMaker::ClipMaker(MakerOptions options)
    : options_(std::move(options)),
      reader_(face::make_face_reader()),
      session_(engine::open_session(face::make_face_reader(), engine::Models::Keep)) {
    value_or_throw(make_folders(options_.folder / "portraits"));
}

ClipMaker::~ClipMaker() = default;

fs::path ClipMaker::file_of(const ProofClip& clip) const { return options_.folder / clip.group / (clip.name + ".png"); }

bool ClipMaker::is_made(const ProofClip& clip) const {
    return clip.source == Source::Drawn || fs::exists(file_of(clip));
}

std::vector<Frame> ClipMaker::frames_of(const ProofClip& clip) {
    if (clip.source == Source::Drawn) return drawn_frames(clip.scene);
    const fs::path file = file_of(clip);
    if (!is_made(clip)) {
        value_or_throw(make_folders(file.parent_path()));
        value_or_throw(media::write_png(file, stacked(made(clip)), clip.prompt));
    }
    return unstacked(value_or_throw(face::read_photograph(file)), options_.video.height);
}

std::vector<Frame> ClipMaker::made(const ProofClip& clip) {
    if (clip.source == Source::Autoencoder) return through_autoencoder(drawn_frames(clip.scene));
    return generated(clip);
}

std::vector<Frame> ClipMaker::generated(const ProofClip& clip) {
    GenerationRequest request;
    request.model = options_.model;
    request.method = clip.source == Source::Base ? Method::None : Method::MagicMirror;
    request.prompt.positive = clip.prompt;
    request.video = options_.video;
    request.sampling = options_.sampling;
    request.sampling.seed = clip.seed;
    request.identity.value = clip.strength;
    request.device = options_.device;
    if (request.method == Method::MagicMirror)
        for (const fs::path& portrait : portraits_of(clip.person)) request.references.push_back({portrait, {}});
    FramesInMemory sink;
    const fs::path latents = options_.folder / "latents.safetensors";
    Observer observer;
    observer.tell = [](const ProgressEvent&) {};
    observer.preview_every_steps = 0;
    value_or_throw(session_->generate(request, {latents}, sink, observer, {}));
    return std::move(sink.frames);
}

std::vector<Frame> ClipMaker::through_autoencoder(const std::vector<Frame>& frames) {
    const c10::InferenceMode no_gradients;
    const at::Device device = engine::device_from_text(options_.device);
    if (!autoencoder_) {
        const engine::ModelFolder folder(options_.model, {at::kFloat, device}, engine::WeightCheck::Finite);
        autoencoder_ = std::make_unique<Autoencoder>(Autoencoder{folder.vae(engine::VaeParts::Whole)});
    }
    // [T, 3, H, W] -> [1, 3, T, H, W]
    const at::Tensor clip = engine::arcface_input(frames).permute({1, 0, 2, 3}).unsqueeze(0).to(device);
    return frames_of_signal(autoencoder_->vae.decode(autoencoder_->vae.encode(clip).mean)[0].to(at::kCPU));
}

const std::vector<fs::path>& ClipMaker::portraits_of(int person) {
    if (const auto known = portraits_.find(person); known != portraits_.end()) return known->second;
    std::vector<fs::path> portraits;
    const std::uint64_t identity = person_seed(person);
    for (int i = 0; i < kMostPortraits; ++i) {
        const fs::path file =
            options_.folder / "portraits" / (std::to_string(person) + "-" + std::to_string(i) + ".png");
        if (!fs::exists(file)) {
            const auto scene =
                people::reference_portrait(identity, kPortraitSeed + static_cast<std::uint64_t>(i), kPortraitSide);
            value_or_throw(media::write_png(file, people::render_frame(scene, 0)));
        }
        ++tried_;
        if (value_or_throw(reader_->find(file)).faces.empty()) continue;
        ++found_;
        portraits.push_back(file);
        if (static_cast<int>(portraits.size()) == options_.references)
            return portraits_.emplace(person, std::move(portraits)).first->second;
    }
    throw EngineError(ErrorCode::NoFaceFound, "No face was found in " + std::to_string(kMostPortraits) +
                                                  " portraits of person " + std::to_string(person) + ".");
}

double ClipMaker::portraits_tried() const { return found_ > 0 ? static_cast<double>(tried_) / found_ : 0; }

Frame stacked(const std::vector<Frame>& frames) {
    Frame picture{frames.at(0).width, 0, {}};
    for (const Frame& frame : frames) {
        picture.height += frame.height;
        picture.rgb.insert(picture.rgb.end(), frame.rgb.begin(), frame.rgb.end());
    }
    return picture;
}

std::vector<Frame> unstacked(const Frame& picture, int height) {
    std::vector<Frame> frames;
    for (int top = 0; top + height <= picture.height; top += height) {
        Frame frame{picture.width, height, {}};
        frame.rgb.assign(picture.row(top), picture.row(top) + std::ptrdiff_t{height} * picture.width * 3);
        frames.push_back(std::move(frame));
    }
    return frames;
}

std::vector<Frame> drawn_frames(const people::SceneRequest& scene) {
    std::vector<Frame> frames;
    for (int i = 0; i < scene.frames; ++i) frames.push_back(people::render_frame(scene, i));
    return frames;
}

}  // namespace mirror::proof
