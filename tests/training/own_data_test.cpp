// Training on a folder of the user's own: what is judged, cut, paired and kept. The folder holds drawn people as PNG
// and MP4 files; where their faces are is known from the drawing.

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <stop_token>

#include "engine/core/result.h"
#include "engine/face/photograph.h"
#include "engine/media/mp4_sink.h"
#include "engine/media/png_sink.h"
#include "engine/media/video_file.h"
#include "engine/training/material_captions.h"
#include "engine/training/material_checks.h"
#include "engine/training/material_set.h"
#include "engine/training/model_writer.h"
#include "engine/training/people/people.h"
#include "tests/support/scratch_folder.h"
#include "tests/training/tiny_recipes.h"

namespace mirror::engine::training {
namespace {

namespace fs = std::filesystem;

constexpr int kSide = 128;

people::RenderedClip drawn(std::uint64_t person, std::uint64_t choice, int frames) {
    people::SceneOptions options;
    options.frames = frames;
    options.width = options.height = kSide;
    options.other_style_share = 0;
    return people::render(
        people::random_scene_of(people::identity_seed(people::Split::Train, person), choice, options));
}

Frame frame_of(const people::RenderedClip& clip, int index) {
    Frame frame{clip.width, clip.height, {}};
    frame.rgb.assign(clip.frame(index), clip.frame(index) + static_cast<std::ptrdiff_t>(kSide) * kSide * 3);
    return frame;
}

// Files are read as the program reads them; faces are those of the drawn frame that a picture is most like.
class KnownFaces : public MaterialReader {
public:
    Result<Frame> picture(const fs::path& file) override {
        ++pictures_read;
        return face::read_photograph(file);
    }
    Result<std::vector<Frame>> clip(const fs::path& file, double, std::int64_t count) override {
        Result<media::Video> video = media::read_video(file, count);
        if (!video) return video.error();
        frames_ = std::move(video).value().frames;
        searched.clear();
        return frames_;
    }
    Result<std::vector<FaceBox>> faces(const Frame& picture) override {
        if (fails) return Error{ErrorCode::OutOfMemory, "no room for the detector"};
        for (std::size_t i = 0; i < frames_.size(); ++i)
            if (frames_[i].rgb == picture.rgb) searched.push_back(i);
        const Known* best = nullptr;
        double least = 12.0;
        for (const Known& known : known_) {
            if (known.frame.rgb.size() != picture.rgb.size()) continue;
            double sum = 0;
            for (std::size_t i = 0; i < picture.rgb.size(); i += 7)
                sum += std::abs(picture.rgb[i] - known.frame.rgb[i]);
            sum /= static_cast<double>(picture.rgb.size()) / 7;
            if (sum >= least) continue;
            least = sum;
            best = &known;
        }
        return best == nullptr ? std::vector<FaceBox>() : best->faces;
    }
    std::string detector() const override { return detector_name; }
    void know(const Frame& frame, std::vector<FaceBox> faces) { known_.push_back({frame, std::move(faces)}); }

    std::string detector_name = "drawn";
    int pictures_read = 0;
    bool fails = false;                 // The search for faces.
    std::vector<std::size_t> searched;  // Frames of the newest video.

private:
    std::vector<Frame> frames_;
    struct Known {
        Frame frame;
        std::vector<FaceBox> faces;
    };
    std::vector<Known> known_;
};

struct Folder {
    testing::ScratchFolder scratch;
    std::shared_ptr<KnownFaces> reader = std::make_shared<KnownFaces>();
    fs::path path = scratch.path() / "own";

    void picture(const std::string& name, std::uint64_t person, std::uint64_t choice, const std::string& caption) {
        const people::RenderedClip clip = drawn(person, choice, 1);
        fs::create_directories(path);
        value_or_throw(media::write_png(path / (name + ".png"), frame_of(clip, 0)));
        reader->know(frame_of(clip, 0), {clip.faces[0].face});
        if (!caption.empty()) write_text(path / (name + ".txt"), caption + "\n");
    }
    void video(const std::string& name, std::uint64_t person, int frames, const std::string& caption) {
        const people::RenderedClip clip = drawn(person, 7, frames);
        fs::create_directories(path);
        const auto sink = media::make_mp4_sink(path / (name + ".mp4"), {2});
        sink->begin({kSide, kSide, frames, {8, 1}}, "");
        for (int i = 0; i < frames; ++i) {
            sink->write(frame_of(clip, i));
            reader->know(frame_of(clip, i), {clip.faces[static_cast<std::size_t>(i)].face});
        }
        sink->finish();
        write_text(path / (name + ".txt"), caption);
    }
    std::string data(const std::string& further = {}) const {
        return R"({"folder": ")" + path.string() +
               R"(", "width": 32, "height": 32, "least_side": 96, "face_side": 32, "most_face_area": 0.95,
                "most_face_height": 1.0, "least_motion": 0.0, "duplicate_bits": 0, "held_out": 0.0, "references": 2)" +
               further + "}";
    }
};

TinyRun run_on(const Folder& folder, const std::string& stage, const fs::path& output,
               const std::string& further = {}) {
    TinyRun run;
    run.stage = stage;
    run.input = tiny_model();
    run.output = output;
    run.samples = 4;
    run.data = folder.data(further);
    return run;
}

TrainingReport train_on(const TinyRun& run, const Folder& folder, Watched& watched, bool resume = false) {
    TrainingOptions options;
    options.resume = resume;
    options.reader = folder.reader;
    return train(run.recipe(), options, watched.observer());
}

std::string text_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return std::move(text).str();
}

TEST(OwnData, TrainsAnAdapterAndSaysWhatItLeavesOut) {
    Folder folder;
    folder.picture("a", 1, 1, "a young woman smiling");
    folder.picture("b", 1, 2, "a woman img on a beach");
    folder.picture("c", 2, 3, "a man in a park");
    folder.picture("no-caption", 3, 4, "");
    folder.picture("nobody", 4, 5, "a quiet beach");
    folder.picture("writing", 5, 6, "a man with a logo on the wall");
    folder.picture("same", 2, 3, "a man in a park");
    write_text(folder.path / "broken.png", "not a picture");
    write_text(folder.path / "broken.txt", "a man");
    Watched watched;
    const TinyRun run = run_on(folder, "adapter", folder.scratch.path() / "out");
    EXPECT_TRUE(train_on(run, folder, watched).finished);
    const std::string report = text_of(run.output / "training" / "material.csv");
    for (const char* used : {"\"a.png\",used", "\"b.png\",used", "\"c.png\",used"})
        EXPECT_NE(report.find(used), std::string::npos) << report;
    for (const char* why : {"it has no caption", "names no person", "speaks of writing", "the same picture as c.png",
                            "it cannot be read"})
        EXPECT_NE(report.find(why), std::string::npos) << why << "\n" << report;
    EXPECT_EQ(watched.notices.size(), 6U);
    const int read = folder.reader->pictures_read;
    Watched again;
    TinyRun second = run;
    second.output = folder.scratch.path() / "second";
    second.data = folder.data(R"(, "cache": ")" + (run.output / "training" / "material").string() + "\"");
    EXPECT_TRUE(train_on(second, folder, again).finished);
    EXPECT_EQ(folder.reader->pictures_read, read + 1) << "only what could not be read is judged again";
    const int judged = folder.reader->pictures_read - 1;
    for (const bool other_detector : {false, true}) {
        TinyRun third = second;
        third.output = folder.scratch.path() / (other_detector ? "detector" : "layer");
        if (!other_detector) third.model = R"({"preset": "tiny", "switches": {"face_vit_layer": -1}})";
        if (other_detector) folder.reader->detector_name = "another";
        const int before = folder.reader->pictures_read;
        EXPECT_TRUE(train_on(third, folder, again).finished);
        EXPECT_EQ(folder.reader->pictures_read - before, judged) << "another detector: " << other_detector;
    }
    EXPECT_EQ(text_of(run.output / "adapter" / "adapter.safetensors"),
              text_of(second.output / "adapter" / "adapter.safetensors"));
}

TEST(OwnData, LooksAgainAtWhatCouldNotBeLookedAt) {
    Folder folder;
    folder.picture("a", 1, 1, "a woman smiling");
    folder.reader->fails = true;
    Watched watched;
    const TinyRun run = run_on(folder, "adapter", folder.scratch.path() / "out");
    EXPECT_THROW(train_on(run, folder, watched), EngineError);
    EXPECT_NE(text_of(run.output / "training" / "material.csv").find("no room for the detector"), std::string::npos);
    folder.reader->fails = false;
    EXPECT_TRUE(train_on(run, folder, watched).finished);
}

TEST(OwnData, HoldsSingleFilesOutWhereNoFacesAreCompared) {
    Folder folder;
    for (std::uint64_t i = 0; i < 8; ++i)
        folder.picture(std::string(1, static_cast<char>('a' + i)), i, i, "a woman smiling");
    TinyRun run = run_on(folder, "base", folder.scratch.path() / "out");
    const std::string everything = R"("held_out": 0.0)";
    run.data.replace(run.data.find(everything), everything.size(), R"("held_out": 0.5)");
    Watched watched;
    const TrainingReport report = train_on(run, folder, watched);
    EXPECT_TRUE(report.finished);
    ASSERT_EQ(report.evaluation.size(), 1U) << "nothing is held out";
    EXPECT_EQ(report.evaluation[0].first, "held_out_loss");
}

TEST(OwnData, TakesTheReferenceFromBehindTheClip) {
    for (const int frames : {9, 10, 12}) {
        Folder folder;
        folder.video("v", 1, frames, "a woman turning her head");
        Watched watched;
        train_on(run_on(folder, "adapter", folder.scratch.path() / "out", R"(, "frames": 9)"), folder, watched);
        ASSERT_FALSE(folder.reader->searched.empty());
        EXPECT_EQ(folder.reader->searched.back(), frames == 9 ? 4U : static_cast<std::size_t>(frames - 1));
    }
}

TEST(OwnData, PreparationIsPartOfTheTime) {
    Folder folder;
    folder.picture("a", 1, 1, "a woman smiling");
    Watched watched;
    const TinyRun run = run_on(folder, "adapter", folder.scratch.path() / "out");
    TrainingOptions options;
    options.seconds = 0.0;
    options.reader = folder.reader;
    const TrainingReport report = train(run.recipe(), options, watched.observer());
    EXPECT_FALSE(report.finished);
    EXPECT_EQ(report.samples, 0);
    EXPECT_EQ(folder.reader->pictures_read, 0);
    EXPECT_TRUE(train_on(run, folder, watched, true).finished);
}

// Asks for a stop with the first report.
void cut_in_the_middle(const TinyRun& run, const Folder& folder) {
    std::stop_source source;
    Watched watched;
    TrainingObserver observer = watched.observer();
    observer.tell = [&](const TrainingProgress&) { source.request_stop(); };
    TrainingOptions options;
    options.reader = folder.reader;
    options.stop = source.get_token();
    EXPECT_THROW(train(run.recipe(), options, observer), EngineError);
    EXPECT_NE(text_of(run.output / "training" / "state.json").find("\"samples\": 2"), std::string::npos);
}

TEST(OwnData, ClipsTrainBaseAndAdapterCutOrUncut) {
    Folder folder;
    folder.picture("a", 1, 1, "a woman smiling");
    folder.video("v", 1, 12, "a woman turning her head");
    folder.video("short", 2, 3, "a man nodding");
    for (const char* stage : {"base", "adapter"}) {
        const fs::path root = folder.scratch.path() / stage;
        const std::string further = R"(, "frames": 9, "still_share": 0.5)";
        const TinyRun whole = run_on(folder, stage, root / "whole", further),
                      cut = run_on(folder, stage, root / "cut", further);
        Watched watched;
        EXPECT_TRUE(train_on(whole, folder, watched).finished);
        EXPECT_NE(text_of(whole.output / "training" / "material.csv").find("3 frames, less than 9"), std::string::npos);
        cut_in_the_middle(cut, folder);
        EXPECT_TRUE(train_on(cut, folder, watched, true).finished);
        const fs::path part = std::string(stage) == "base"
                                  ? fs::path("transformer") / "diffusion_pytorch_model.safetensors"
                                  : fs::path("adapter") / "adapter.safetensors";
        EXPECT_EQ(text_of(whole.output / part), text_of(cut.output / part));
    }
}

TEST(OwnData, NothingUsableIsOneSentence) {
    Folder folder;
    folder.picture("a", 1, 1, "a beach");
    Watched watched;
    try {
        train_on(run_on(folder, "adapter", folder.scratch.path() / "out"), folder, watched);
        FAIL() << "trained";
    } catch (const EngineError& error) {
        EXPECT_NE(std::string(error.what()).find("can be trained on"), std::string::npos) << error.what();
    }
    TrainingOptions options;  // Nobody who reads files.
    EXPECT_THROW(train(run_on(folder, "base", folder.scratch.path() / "b").recipe(), options, watched.observer()),
                 EngineError);
}

TEST(Material, WindowHoldsTheFaceOrGetsBars) {
    MaterialOptions options;
    options.width = 720;
    options.height = 480;
    FaceBox face;
    face.x0 = 900, face.y0 = 200, face.x1 = 1100, face.y1 = 460;
    const auto window = window_around({face}, 1920, 1080, options);
    ASSERT_TRUE(window);
    EXPECT_FALSE(window->padded);
    EXPECT_NEAR(window->width / window->height, 1.5, 1e-9);
    const FaceBox inside = moved(face, *window, 720, 480);
    EXPECT_GE(inside.x0, 0);
    EXPECT_LE(inside.x1, 720);
    EXPECT_GE((inside.y1 - inside.y0) / 480, 0.15);
    EXPECT_LE((inside.y1 - inside.y0) / 480, 0.6);
    // A tall portrait: no window of 3:2 holds a face of 600 pixels in a picture 800 wide.
    face.x0 = 150, face.y0 = 100, face.x1 = 650, face.y1 = 700;
    const auto tall = window_around({face}, 800, 1200, options);
    ASSERT_TRUE(tall && tall->padded);
    const at::Tensor cut = cut_out(at::full({3, 1200, 800}, 200, at::kByte), *tall, 720, 480);
    EXPECT_EQ(cut.sizes(), (std::vector<std::int64_t>{3, 480, 720}));
    EXPECT_FLOAT_EQ(cut[0][240][100].item<float>(), -1.0F);
    EXPECT_NEAR(cut[0][240][360].item<float>(), 200 / 127.5 - 1, 0.02);
    EXPECT_NEAR(moved(face, *tall, 720, 480).x0, 150 * 0.4 + 200, 1.0);
    // A wide one has no room for bars.
    EXPECT_FALSE(window_around({face}, 1800, 800, options));
}

TEST(Material, JudgesFacesHashesAndSharpness) {
    const people::RenderedClip clip = drawn(1, 1, 1);
    const at::Tensor pixels = pixels_of(frame_of(clip, 0));
    const Window whole{0, 0, kSide, kSide, false};
    const at::Tensor larger = to_pixels(cut_out(pixels, whole, 200, 200));
    EXPECT_LE(different_bits(perceptual_hash(pixels), perceptual_hash(larger)), 3);
    EXPECT_GT(different_bits(perceptual_hash(pixels), perceptual_hash(pixels_of(frame_of(drawn(9, 5, 1), 0)))), 8);
    const at::Tensor aligned = aligned_face(to_signal(pixels), clip.faces[0].face.landmarks);
    const at::Tensor blurred = at::avg_pool2d(aligned.unsqueeze(0), {9, 9}, {1, 1}, {4, 4})[0];
    EXPECT_GT(sharpness_of(aligned), 4 * sharpness_of(blurred));
    MaterialOptions options;
    FaceBox face{100, 100, 300, 300, 0.95, {{{150, 160}, {250, 160}, {200, 200}, {160, 250}, {240, 250}}}};
    EXPECT_FALSE(face_objection({face}, 800, 800, options));
    EXPECT_NE(face_objection({}, 800, 800, options).value().find("no face"), std::string::npos);
    EXPECT_NE(face_objection({face, face}, 800, 800, options).value().find("2 faces"), std::string::npos);
    EXPECT_NE(face_objection({face}, 8000, 8000, options).value().find("of the picture"), std::string::npos);
    face.landmarks[2].x = 320;
    EXPECT_NE(face_objection({face}, 800, 800, options).value().find("turned away"), std::string::npos);
    face.score = 0.5;
    EXPECT_NE(face_objection({face}, 800, 800, options).value().find("detector"), std::string::npos);
}

TEST(Material, PairsByTheThresholdAndFindsPersons) {
    std::vector<MaterialItem> items(4);
    const std::vector<std::vector<float>> rows{{1, 0, 0}, {0.9F, 0.3F, 0}, {0, 0, 1}, {0.6F, 0.8F, 0}};
    for (std::size_t i = 0; i < rows.size(); ++i) items[i].embedding = at::tensor(rows[i]) * 10;
    pair_items(items, 0.65);
    EXPECT_EQ(items[0].partners, (std::vector<std::int64_t>{1}));
    EXPECT_EQ(items[1].partners, (std::vector<std::int64_t>{0, 3}));  // 0.78 and 0.82
    EXPECT_TRUE(items[2].partners.empty());
    EXPECT_EQ(items[3].person, 0);
    EXPECT_EQ(items[2].person, 2);
}

TEST(Material, ReadsCaptionsInThreeWays) {
    const testing::ScratchFolder folder;
    write_text(folder.path() / "captions.json", R"({"a.png": "a man", "below/b.png": "a girl"})");
    write_text(folder.path() / "captions.csv", "file,caption\nc.png,\"a \"\"tall\"\" man, in a park\"\n");
    write_text(folder.path() / "a.txt", " a woman \n");
    const auto captions = value_or_throw(MaterialCaptions::open(folder.path()));
    EXPECT_EQ(captions.of(folder.path() / "a.png").value(), "a woman");
    EXPECT_EQ(captions.of(folder.path() / "below" / "b.png").value(), "a girl");
    EXPECT_EQ(captions.of(folder.path() / "c.png").value(), "a \"tall\" man, in a park");
    EXPECT_FALSE(captions.of(folder.path() / "d.png"));
    EXPECT_EQ(with_trigger("a young woman, smiling", "img"), "a young woman img, smiling");
    EXPECT_EQ(without_trigger("a young woman img, smiling", "img"), "a young woman, smiling");
    write_text(folder.path() / "captions.json", "[]");
    EXPECT_FALSE(MaterialCaptions::open(folder.path()));
}

}  // namespace
}  // namespace mirror::engine::training
