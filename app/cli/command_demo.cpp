// demo: from one picture to a clip, a sequence of shots, identity curves and a page that shows them.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>

#include "app/cli/command.h"
#include "app/cli/demo_files.h"
#include "app/cli/demo_page.h"
#include "app/cli/generation_options.h"
#include "app/cli/option_values.h"
#include "app/cli/picture_strip.h"
#include "app/cli/run_observer.h"
#include "app/cli/similarity_chart.h"
#include "engine/core/durable_replace.h"
#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/face/face_reader.h"
#include "engine/media/mp4_sink.h"
#include "engine/media/png_sink.h"
#include "engine/media/video_file.h"
#include "engine/metrics/clip_observer.h"
#include "engine/metrics/identity_measures.h"
#include "engine/session/builtin_model.h"
#include "engine/session/error_boundary.h"
#include "engine/session/output_rules.h"
#include "engine/session/project_file.h"
#include "engine/session/story.h"

namespace mirror::cli {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr const char* kProject = "demo/three-shots.mirror";
constexpr const char* kClipAction = " img is surprised in the city, wearing a red jacket";
constexpr std::uint64_t kClipSeed = 1;
constexpr double kSamePicture = 0.999;  // Similarity of an example that is the reference itself.
constexpr int kStages = 5;
constexpr std::array kOutputs{"reference.png", "clip.mp4",  "clip.png",           "clip-identity.svg", "steps.png",
                              "story.mp4",     "story.png", "story-identity.svg", "index.html"};

struct DemoOptions {
    std::string folder;
    std::string reference;  // Empty: the person of the bundled project.
    std::string who;        // "a man"; empty: as the bundled project says, or "a person".
    GenerationOptions run;
};

// What the stages hand on.
struct Demo {
    fs::path folder;
    fs::path model;
    engine::ModelInfo info;
    fs::path reference;
    engine::Story story;
    GenerationRequest clip;
    DemoPage page;
};

void say(Invocation& invocation, int stage, const std::string& what) {
    invocation.console.clear_progress();
    invocation.console.print_line(std::to_string(stage) + " of " + std::to_string(kStages) + "  " + what);
}

std::string seconds_text(double seconds) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f s", seconds);
    return text.data();
}

// "a girl img smiles" -> "a man img smiles"
std::string with_person(const std::string& prompt, const std::string& who) {
    const auto trigger = prompt.find(" img");
    return who.empty() || trigger == std::string::npos ? prompt : who + prompt.substr(trigger);
}

Demo prepare(const DemoOptions& options) {
    Demo demo;
    demo.folder = options.folder;
    demo.model = model_folder(options.run.model);
    demo.info = value_or_throw(engine::read_model_info(demo.model));
    const fs::path place = demo_file(kProject);
    const Project project = value_or_throw(engine::read_project(place));
    demo.story = value_or_throw(engine::story_of(project, place, model_defaults(options.run, demo.model, demo.info)));
    demo.reference = options.reference;
    if (options.reference.empty()) demo.reference = demo.story.shots.front().references.front().file;
    const std::string who = options.who.empty() && !options.reference.empty() ? "a person" : options.who;
    for (GenerationRequest& shot : demo.story.shots) {
        shot.prompt.positive = with_person(shot.prompt.positive, who);
        shot.references = {{demo.reference, options.run.face}};
        override_shot(options.run, shot);
    }
    demo.clip = demo.story.shots.front();
    const std::string first = project.shots.front().prompt;
    demo.clip.prompt.positive = with_person(first.substr(0, first.find(" img")) + kClipAction, who);
    demo.clip.sampling.seed = options.run.seed.value_or(kClipSeed);
    value_or_throw(engine::check_story(demo.story));
    if (options.reference.empty()) demo.page.reference_name = project.characters.front().name;
    return demo;
}

void check_outputs(const Demo& demo) {
    value_or_throw(make_folders(demo.folder));
    std::vector<fs::path> inputs = engine::files_of_model(demo.model);
    inputs.push_back(demo.reference);
    for (const char* name : kOutputs) value_or_throw(engine::check_output(demo.folder / name, inputs));
}

void show_reference(Demo& demo, FaceReader& reader, Invocation& invocation) {
    const PhotoFaces faces = value_or_throw(reader.find(demo.reference));
    if (faces.faces.empty())
        throw EngineError(ErrorCode::NoFaceFound, path_for_message(demo.reference.filename()) +
                                                      " shows no face that could be found; draw it larger, upright and "
                                                      "turned to the viewer.");
    demo.page.reference = "reference.png";
    value_or_throw(media::write_png(demo.folder / demo.page.reference, value_or_throw(reader.load(demo.reference))));
    const std::string kind = faces.faces.front().drawn ? "a drawn face" : "a face";
    say(invocation, 1, "reference: " + path_for_message(demo.reference.filename()) + " shows " + kind);
}

// The middle latent frame after every step, and a bar; notices go to the page too.
Observer clip_observer(Invocation& invocation, DemoPage& page, std::vector<std::pair<int, Frame>>& previews) {
    Observer observer;
    observer.tell = [&](const ProgressEvent& event) {
        if (const auto* progress = std::get_if<Progress>(&event)) {
            invocation.console.show_progress(*progress);
        } else if (const auto* preview = std::get_if<SharedPreview>(&event)) {
            const PreviewClip& clip = **preview;
            if (!clip.frames.empty()) previews.emplace_back(clip.step, clip.frames[clip.frames.size() / 2]);
        } else if (const auto* notice = std::get_if<Notice>(&event)) {
            invocation.console.warn(notice->detail);
            page.notices.push_back(notice->detail);
        }
    };
    return observer;
}

void write_strip(Demo& demo, const std::vector<std::pair<int, Frame>>& previews) {
    constexpr std::size_t kMostPictures = 8;
    constexpr int kHeight = 96, kGap = 4;
    if (previews.empty()) return;
    std::vector<Frame> pictures;
    for (const std::size_t at : spread_positions(previews.size(), kMostPictures)) {
        demo.page.strip_steps.push_back(previews[at].first);
        pictures.push_back(previews[at].second);
    }
    demo.page.strip = "steps.png";
    value_or_throw(media::write_png(demo.folder / demo.page.strip, picture_strip(pictures, kHeight, kGap)));
}

DemoVideo described(const std::string& name, const GenerationRequest& request, double seconds) {
    DemoVideo video;
    video.file = name + ".mp4";
    video.poster = name + ".png";
    video.width = request.video.width;
    video.height = request.video.height;
    video.seconds = seconds;
    return video;
}

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void make_clip(Demo& demo, engine::Session& session, Invocation& invocation) {
    const auto start = Clock::now();
    std::vector<std::pair<int, Frame>> previews;
    const auto sink = media::make_mp4_sink(demo.folder / "clip.mp4");
    const Observer observer = clip_observer(invocation, demo.page, previews);
    const auto report = value_or_throw(session.generate(demo.clip, {}, *sink, observer, invocation.stop));
    demo.page.random_weights = report.random_weights;
    demo.page.clip = described("clip", demo.clip, since(start));
    demo.page.clip.prompts = {demo.clip.prompt.positive};
    write_strip(demo, previews);
    say(invocation, 2, "clip: " + std::to_string(demo.clip.video.frames) + " frames in " + seconds_text(since(start)));
}

void make_story(Demo& demo, engine::Session& session, Invocation& invocation) {
    const auto start = Clock::now();
    const int shots = static_cast<int>(demo.story.shots.size());
    engine::StoryOptions options;
    options.tell = [&](int shot, const ProgressEvent& event) {
        if (const auto* progress = std::get_if<Progress>(&event))
            invocation.console.show_progress(*progress, {shot, shots});
    };
    const auto sink = media::make_mp4_sink(demo.folder / "story.mp4");
    const auto told = value_or_throw(engine::tell_story(session, demo.story, *sink, options, invocation.stop));
    demo.page.story = described("story", demo.story.shots.front(), since(start));
    for (const GenerationRequest& shot : demo.story.shots) demo.page.story.prompts.push_back(shot.prompt.positive);
    say(invocation, 3,
        "story: " + std::to_string(shots) + " shots, " + std::to_string(told.frames) + " frames in " +
            seconds_text(since(start)));
}

// What identity is measured with; null where nothing that can do it is installed.
struct Judge {
    std::unique_ptr<metrics::FaceEmbedder> embedder;
    std::vector<metrics::FaceSeen> references;
    std::unique_ptr<metrics::ClipObserver> observer;
};

std::optional<double> nearest_example(FaceReader& reader, Judge& judge) {
    std::optional<double> nearest;
    for (const std::string& name : drawn_examples()) {
        const auto seen =
            metrics::observe_references(reader, *judge.embedder, {{demo_file("examples/drawn-" + name + ".png"), {}}});
        const double similarity = metrics::cosine(seen.front().embedding, judge.references.front().embedding);
        if (similarity < kSamePicture) nearest = std::max(nearest.value_or(-1), similarity);
    }
    return nearest;
}

// Noise has no faces, and looking for them in all of it takes long.
std::unique_ptr<Judge> make_judge(Demo& demo, FaceReader& reader, const std::string& device) {
    if (demo.page.random_weights) return nullptr;
    auto judge = std::make_unique<Judge>();
    const Status made = engine::guarded([&] {
        judge->embedder = metrics::make_face_embedder(demo.model, device, reader);
        judge->references = metrics::observe_references(reader, *judge->embedder, {demo.clip.references.front()});
        judge->observer =
            std::make_unique<metrics::ClipObserver>(face::make_face_detectors(), *judge->embedder, judge->references);
        demo.page.nearest_other = nearest_example(reader, *judge);
    });
    return made ? std::move(judge) : nullptr;
}

void measure(const Demo& demo, const std::string& name, const std::vector<int>& cuts, Judge* judge, DemoVideo& video,
             const std::stop_token& stop) {
    const media::Video pictures =
        value_or_throw(media::read_video(demo.folder / video.file, limits::kMaxFrames * limits::kProjectShots));
    value_or_throw(media::write_png(demo.folder / video.poster, pictures.frames.at(pictures.frames.size() / 2)));
    video.frames = pictures.frames.size();
    if (judge == nullptr) return;
    metrics::ObservedClip clip{pictures.info.width, pictures.info.height, {}};
    for (std::size_t i = 0; i < pictures.frames.size(); ++i) {
        if (stop.stop_requested()) throw EngineError(ErrorCode::Cancelled, "stopped by the user");
        clip.frames.push_back(judge->observer->observe(pictures.frames[i], static_cast<std::int64_t>(i)));
        video.faces += clip.frames.back().face ? 1 : 0;
    }
    const auto series = metrics::similarity_series(judge->references, clip, metrics::IdAverage::Similarities);
    video.similarity = metrics::mean_of(series);
    video.chart = name + "-identity.svg";
    value_or_throw(durable_replace(demo.folder / video.chart, svg_of({series, cuts, demo.page.nearest_other})));
}

std::string measured_text(const DemoVideo& clip, const DemoVideo& story) {
    const auto text = [](const DemoVideo& video) {
        if (!video.similarity) return std::string("no face found");
        std::array<char, 64> line{};
        std::snprintf(line.data(), line.size(), "%.2f (faces in %zu of %zu frames)", *video.similarity, video.faces,
                      video.frames);
        return std::string(line.data());
    };
    return "identity: clip " + text(clip) + ", story " + text(story);
}

void measure_identity(Demo& demo, FaceReader& reader, const std::string& device, Invocation& invocation) {
    const auto judge = make_judge(demo, reader, device);
    measure(demo, "clip", {}, judge.get(), demo.page.clip, invocation.stop);
    std::vector<int> cuts;
    int frames = 0;
    for (const GenerationRequest& shot : demo.story.shots) {
        if (frames > 0) cuts.push_back(frames);
        frames += shot.video.frames;
    }
    measure(demo, "story", cuts, judge.get(), demo.page.story, invocation.stop);
    const std::string why = demo.page.random_weights ? "the pictures are noise" : "no recogniser is there for it";
    say(invocation, 4,
        judge ? measured_text(demo.page.clip, demo.page.story) : "identity: not measured, because " + why);
}

void write_page(Demo& demo, Invocation& invocation) {
    const GenerationRequest& clip = demo.clip;
    const std::string size = std::to_string(clip.video.width) + " x " + std::to_string(clip.video.height);
    std::array<char, 32> guidance{};
    std::snprintf(guidance.data(), guidance.size(), "%g", clip.sampling.guidance);
    std::string seeds = std::to_string(clip.sampling.seed);
    for (const GenerationRequest& shot : demo.story.shots) seeds += ", " + std::to_string(shot.sampling.seed);
    demo.page.facts = {
        {"Model", demo.model.filename().string() + (demo.info.draws.empty() ? "" : ", draws " + demo.info.draws)},
        {"Size", size + ", " + std::to_string(clip.video.frames) + " frames a shot"},
        {"Steps", std::to_string(clip.sampling.steps)},
        {"Guidance", guidance.data()},
        {"Seeds", seeds},
        {"Device", clip.device},
        {"Time", seconds_text(demo.page.clip.seconds) + " for the clip, " + seconds_text(demo.page.story.seconds) +
                     " for the story"}};
    value_or_throw(durable_replace(demo.folder / "index.html", html_of(demo.page)));
    say(invocation, 5, "page: " + escape_for_message((demo.folder / "index.html").string(), 4096));
}

void run_demo(const DemoOptions& options, Invocation& invocation) {
    Demo demo = prepare(options);
    check_outputs(demo);
    const auto reader = face::make_face_reader();
    show_reference(demo, *reader, invocation);
    const auto session = engine::open_session(face::make_face_reader(), engine::Models::Keep);
    make_clip(demo, *session, invocation);
    make_story(demo, *session, invocation);
    session->release_memory();
    measure_identity(demo, *reader, options.run.device, invocation);
    write_page(demo, invocation);
    if (demo.page.random_weights)
        invocation.console.print_line("The model has random weights, so all of this is noise.");
}

}  // namespace

void add_demo_command(CLI::App& program, Action& chosen) {
    CLI::App* command =
        program.add_subcommand("demo", "Make a clip and three shots of a drawn person, and a page that shows them");
    const auto options = std::make_shared<DemoOptions>();
    command->add_option("folder", options->folder, "Where everything goes")->required();
    add_value(*command, "--reference", "Your own picture instead of the bundled one",
              [options](const std::string& text) { options->reference = text; });
    add_value(*command, "--who", "What the person is called in the sentences, such as \"a man\" (a person)",
              [options](const std::string& text) { options->who = utf8_value("--who", text); });
    add_demo_options(*command, options->run);
    command->callback(
        [options, &chosen] { chosen = [options](Invocation& invocation) { run_demo(*options, invocation); }; });
}

}  // namespace mirror::cli
