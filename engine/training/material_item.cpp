#include "engine/training/material_item.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/core/result.h"
#include "engine/training/face_numbers.h"
#include "engine/training/material_checks.h"
#include "engine/weights/tensor_file.h"

namespace mirror::engine::training {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 7> kPictures{".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"};
constexpr std::array<std::string_view, 6> kVideos{".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi"};
constexpr std::int64_t kSearched = 4;     // How many clips' worth of a video are looked through.
constexpr std::int64_t kCompared = 5;     // Faces of a clip that are compared with each other.
constexpr double kFinestReference = 1.5;  // Pixels of the picture for one of the crop.
constexpr const char* kFormat = "magic-mirror-material";

// A picture of the user's with its one face.
struct Seen {
    at::Tensor pixels;  // uint8 [3, H, W]
    FaceBox face;
};

// The frames of a clip that is good enough.
struct GoodClip {
    std::vector<at::Tensor> frames;
    std::vector<FaceBox> faces;  // One a frame.
    Seen elsewhere;  // Another frame with a good face, outside of the clip if the shot goes on; else the clip's first.
};

std::uint64_t seed_of(const fs::path& file) { return std::hash<std::string>()(file.filename().string()); }

double cosine(const at::Tensor& a, const at::Tensor& b) {
    return ((a * b).sum() / (a.norm() * b.norm()).clamp_min(1e-6)).item<double>();
}

class Maker {
public:
    Maker(const MaterialOptions& options, const MaterialSources& sources) : options_(options), sources_(sources) {}

    ItemOrReason picture(const fs::path& file) const {
        const Result<Frame> frame = sources_.reader->picture(file);
        if (!frame) return cannot("be read", frame.error());
        if (const auto small = too_small(frame.value())) return *small;
        const Result<std::vector<FaceBox>> faces = sources_.reader->faces(frame.value());
        if (!faces) return cannot("be searched for faces", faces.error());
        const int width = frame.value().width, height = frame.value().height;
        if (const auto bad = face_objection(faces.value(), width, height, options_)) return *bad;
        const std::optional<Window> window = window_around(faces.value(), width, height, options_);
        if (!window) return std::string("no window of the wanted shape holds its face");
        const Seen seen{pixels_of(frame.value()), faces.value().front()};
        MadeItem made;
        if (const auto blurred = finish(made, seen, *window, seen, file)) return *blurred;
        return made;
    }

    ItemOrReason video(const fs::path& file) const {
        const Result<std::vector<Frame>> frames =
            sources_.reader->clip(file, options_.frames_per_second, kSearched * options_.frames);
        if (!frames) return cannot("be read", frames.error());
        if (frames.value().empty()) return std::string("it has no frames");
        if (const auto small = too_small(frames.value().front())) return *small;
        std::variant<GoodClip, Reason> found = good_clip(frames.value());
        if (auto* reason = std::get_if<Reason>(&found)) return std::move(*reason);
        const GoodClip& clip = std::get<GoodClip>(found);
        const int width = frames.value().front().width, height = frames.value().front().height;
        const std::optional<Window> window = window_around(clip.faces, width, height, options_);
        if (!window) return std::string("no window of the wanted shape holds its face all the time");
        MadeItem made;
        if (const auto blurred = finish(made, {clip.frames[0], clip.faces[0]}, *window, clip.elsewhere, file))
            return *blurred;
        if (options_.frames > 1) made.item.clip = encoded(clip.frames, clip.faces, *window);
        return made;
    }

private:
    static Reason cannot(const std::string& what, const Error& error) {
        return Reason::of_this_time("it cannot " + what + ": " + error.detail);
    }

    std::optional<std::string> too_small(const Frame& frame) const {
        const int side = std::min(frame.width, frame.height);
        if (side >= options_.least_side) return {};
        return "its shorter side has " + std::to_string(side) + " pixels, less than " +
               std::to_string(options_.least_side);
    }

    // The longest run of frames without a cut: begin and end.
    std::pair<std::size_t, std::size_t> longest_shot(const std::vector<at::Tensor>& frames) const {
        std::pair<std::size_t, std::size_t> best{0, 0};
        for (std::size_t begin = 0, i = 1; i <= frames.size(); ++i) {
            if (i < frames.size() && motion_between(frames[i - 1], frames[i]) <= options_.most_motion) continue;
            if (i - begin > best.second - best.first) best = {begin, i};
            begin = i;
        }
        return best;
    }

    std::variant<GoodClip, Reason> good_clip(const std::vector<Frame>& frames) const {
        std::vector<at::Tensor> pixels;
        for (const Frame& frame : frames) pixels.push_back(pixels_of(frame));
        const auto [begin, end] = longest_shot(pixels);
        const auto wanted = static_cast<std::size_t>(options_.frames);
        if (end - begin < wanted)
            return "its longest shot has " + std::to_string(end - begin) + " frames, less than " +
                   std::to_string(wanted);
        GoodClip clip;
        clip.frames.assign(pixels.begin() + static_cast<std::ptrdiff_t>(begin),
                           pixels.begin() + static_cast<std::ptrdiff_t>(begin + wanted));
        if (const auto still = motion_objection(clip.frames)) return *still;
        if (const auto bad = find_faces(clip, frames, begin)) return *bad;
        clip.elsewhere = {pixels[begin], clip.faces.front()};
        const std::size_t other = end - 1 >= begin + wanted ? end - 1 : begin + wanted / 2;
        const Frame& frame = frames[other];
        const Result<std::vector<FaceBox>> faces = sources_.reader->faces(frame);
        if (!faces) return cannot("be searched for faces", faces.error());
        if (!face_objection(faces.value(), frame.width, frame.height, options_))
            clip.elsewhere = {pixels[other], faces.value().front()};
        return clip;
    }

    std::optional<std::string> motion_objection(const std::vector<at::Tensor>& frames) const {
        if (frames.size() < 2) return {};
        double sum = 0;
        for (std::size_t i = 1; i < frames.size(); ++i) sum += motion_between(frames[i - 1], frames[i]);
        if (sum / static_cast<double>(frames.size() - 1) >= options_.least_motion) return {};
        return "hardly anything moves in it";
    }

    // Fills clip.faces; a frame without exactly one face takes that of the frame before.
    std::optional<Reason> find_faces(GoodClip& clip, const std::vector<Frame>& frames, std::size_t begin) const {
        std::size_t good = 0;
        std::vector<at::Tensor> compared;
        const std::size_t step = std::max<std::size_t>(1, clip.frames.size() / kCompared);
        for (std::size_t i = 0; i < clip.frames.size(); ++i) {
            const Frame& frame = frames[begin + i];
            const Result<std::vector<FaceBox>> found = sources_.reader->faces(frame);
            if (!found) return cannot("be searched for faces", found.error());
            const auto bad = face_objection(found.value(), frame.width, frame.height, options_);
            if (i == 0 && bad) return "in its first frame " + *bad;
            if (!bad) ++good;
            clip.faces.push_back(bad ? clip.faces.back() : found.value().front());
            if (!bad && i % step == 0 && sources_.encoder != nullptr)
                compared.push_back(sources_.encoder->embedding(aligned(clip.frames[i], clip.faces[i])));
        }
        if (static_cast<double>(good) < options_.clip_faces * static_cast<double>(clip.frames.size()))
            return "only " + std::to_string(good) + " of " + std::to_string(clip.frames.size()) +
                   " frames show exactly one good face";
        double sum = 0;
        for (std::size_t i = 1; i < compared.size(); ++i) sum += cosine(compared[i - 1], compared[i]);
        if (compared.size() > 1 && sum / static_cast<double>(compared.size() - 1) < options_.clip_similarity)
            return std::string("its frames do not show one and the same person");
        return {};
    }

    static at::Tensor aligned(const at::Tensor& pixels, const FaceBox& face) {
        return aligned_face(to_signal(pixels), face.landmarks);
    }

    // What pictures and clips have in common; the reason if the face is not sharp.
    std::optional<std::string> finish(MadeItem& made, const Seen& shown, const Window& window, const Seen& reference,
                                      const fs::path& file) const {
        const double sharpness = sharpness_of(aligned(shown.pixels, shown.face));
        if (sharpness < options_.sharpness)
            return "its face is blurred (sharpness " + std::to_string(static_cast<int>(sharpness)) + ", less than " +
                   std::to_string(static_cast<int>(options_.sharpness)) + ")";
        made.hash = perceptual_hash(shown.pixels);
        made.padded = window.padded;
        made.item.still = encoded({shown.pixels}, {shown.face}, window);
        made.item.picture = to_pixels(cut_out(shown.pixels, window, options_.width, options_.height));
        if (sources_.encoder == nullptr) return {};
        made.item.embedding = sources_.encoder->embedding(aligned(shown.pixels, shown.face));
        for (std::int64_t i = 0; i < options_.references; ++i) {
            RandomStream random(seed_of(file), Purpose::Augment, static_cast<std::uint64_t>(i));
            made.item.features.push_back((*sources_.encoder)(portrait(reference, random)));
        }
        return {};
    }

    // Always cut, lit and turned anew. A picture much finer than the crop is made smaller first.
    ReferencePictures portrait(const Seen& seen, RandomStream& random) const {
        const auto& config = sources_.encoder->config();
        const std::int64_t size = config.clip_vision.image_size;
        const double expand = config.switches.ref_crop_expand;
        at::Tensor picture = to_signal(seen.pixels);
        FaceBox face = seen.face;
        const double side = expand * std::max(face.x1 - face.x0, face.y1 - face.y0);
        const double finer = side / static_cast<double>(size);
        if (finer > kFinestReference) {
            const Window whole{0, 0, static_cast<double>(seen.pixels.size(2)), static_cast<double>(seen.pixels.size(1)),
                               false};
            const int width = std::max(1, static_cast<int>(whole.width / finer));
            const int height = std::max(1, static_cast<int>(whole.height / finer));
            picture = cut_out(seen.pixels, whole, width, height);
            face = moved(face, whole, width, height);
        }
        return reference_pictures(picture, face, size, expand, ReferenceChanges::for_photographs(), random);
    }

    LatentClip encoded(const std::vector<at::Tensor>& frames, const std::vector<FaceBox>& faces,
                       const Window& window) const {
        const c10::NoGradGuard no_gradients;
        const LatentSource& source = *sources_.latents;
        const VaeConfig& config = source.vae->config();
        std::vector<at::Tensor> pictures;
        std::vector<people::DrawnFace> seen;
        for (std::size_t i = 0; i < frames.size(); ++i) {
            pictures.push_back(cut_out(frames[i], window, options_.width, options_.height));
            seen.emplace_back().face = moved(faces[i], window, options_.width, options_.height);
        }
        const at::Tensor mean = source.vae->encode(at::stack(pictures, 1).unsqueeze(0).to(source.device)).mean[0];
        LatentClip clip;
        clip.latents = (mean.permute({1, 0, 2, 3}) * config.scaling_factor).to(at::kCPU, at::kBFloat16).contiguous();
        clip.face_area = face_area(seen, mean.size(2), mean.size(3), config.spatial_compression(),
                                   config.temporal_compression_ratio);
        clip.first_face = seen.front().face;
        return clip;
    }

    const MaterialOptions& options_;
    const MaterialSources& sources_;
};

std::string ending_of(const fs::path& file) {
    std::string ending = file.extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return ending;
}

void put_clip(TensorMap& tensors, const std::string& prefix, const LatentClip& clip) {
    if (!clip.latents.defined()) return;
    tensors[prefix + ".latents"] = clip.latents;
    tensors[prefix + ".face_area"] = clip.face_area;
    tensors[prefix + ".face"] = numbers_of(clip.first_face);
}

LatentClip take_clip(TensorMap& tensors, const std::string& prefix) {
    LatentClip clip;
    if (!tensors.contains(prefix + ".latents")) return clip;
    clip.latents = tensors.at(prefix + ".latents");
    clip.face_area = tensors.at(prefix + ".face_area");
    clip.first_face = face_from(tensors.at(prefix + ".face"));
    return clip;
}

}  // namespace

MaterialKind kind_of(const fs::path& file) {
    const std::string ending = ending_of(file);
    if (std::find(kPictures.begin(), kPictures.end(), ending) != kPictures.end()) return MaterialKind::Picture;
    if (std::find(kVideos.begin(), kVideos.end(), ending) != kVideos.end()) return MaterialKind::Video;
    return MaterialKind::Other;
}

ItemOrReason make_item(const fs::path& file, const MaterialOptions& options, const MaterialSources& sources) {
    const Maker maker(options, sources);
    return kind_of(file) == MaterialKind::Video ? maker.video(file) : maker.picture(file);
}

void save_item(const fs::path& file, const MadeItem& made) {
    TensorMap tensors{{"picture", made.item.picture}};
    put_clip(tensors, "still", made.item.still);
    put_clip(tensors, "clip", made.item.clip);
    if (made.item.embedding.defined()) tensors["embedding"] = made.item.embedding;
    for (std::size_t i = 0; i < made.item.features.size(); ++i) {
        const std::string prefix = "references." + std::to_string(i);
        tensors[prefix + ".id_embeds"] = made.item.features[i].id_embeds;
        tensors[prefix + ".face_tokens"] = made.item.features[i].face_tokens;
        tensors[prefix + ".embedding"] = made.item.features[i].embedding;
    }
    save_tensors(
        file, tensors,
        {{"format", kFormat}, {"hash", std::to_string(made.hash)}, {"padded", made.padded ? "true" : "false"}});
}

std::optional<MadeItem> load_item(const fs::path& file) {
    std::error_code error;
    if (!fs::is_regular_file(file, error)) return std::nullopt;
    try {
        TensorFile read = load_tensor_file(file);
        if (read.metadata["format"] != kFormat) return std::nullopt;
        MadeItem made;
        made.hash = std::stoull(read.metadata.at("hash"));
        made.padded = read.metadata.at("padded") == "true";
        made.item.still = take_clip(read.tensors, "still");
        made.item.clip = take_clip(read.tensors, "clip");
        made.item.picture = read.tensors.at("picture");
        if (read.tensors.contains("embedding")) made.item.embedding = read.tensors.at("embedding");
        for (int i = 0; read.tensors.contains("references." + std::to_string(i) + ".embedding"); ++i) {
            const std::string prefix = "references." + std::to_string(i);
            made.item.features.push_back({read.tensors.at(prefix + ".id_embeds"),
                                          read.tensors.at(prefix + ".face_tokens"),
                                          read.tensors.at(prefix + ".embedding")});
        }
        return made;
    } catch (const EngineError&) {
        return std::nullopt;
    } catch (const std::logic_error&) {  // A key that is missing, a number that is none.
        return std::nullopt;
    }
}

}  // namespace mirror::engine::training
