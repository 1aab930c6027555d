// evaluate: how much the person of a video looks like the references, how that holds, and how the face moves.

#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/cli/command.h"
#include "app/cli/evaluate_video.h"
#include "app/cli/generation_options.h"
#include "app/cli/option_values.h"
#include "app/cli/run_observer.h"
#include "engine/core/utf8.h"
#include "engine/face/face_reader.h"
#include "engine/metrics/face_embedder.h"

namespace mirror::cli {

namespace {

using Json = nlohmann::ordered_json;
using Named = std::vector<std::pair<std::string, std::optional<double>>>;

constexpr std::int64_t kMostSamples = 100'000;
constexpr int kMostFaces = 10'000;

struct EvaluateOptions {
    std::vector<std::string> videos, references;
    std::optional<int> face;
    std::string model;
    std::string device = "cpu";
    metrics::ScoreOptions scores;
    bool json = false;
};

// A number of frames, or "all", which is 0.
std::int64_t samples_value(const std::string& option, const std::string& text) {
    return text == "all" ? 0 : integer_value(option, text, 1, kMostSamples);
}

// The place of a word in a list.
std::size_t choice_value(const std::string& option, const std::string& text, const std::vector<std::string>& words) {
    std::string listed;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == text) return i;
        listed += (i == 0 ? "" : ", ") + words[i];
    }
    throw UsageError(option + " wants one of " + listed + ", not '" + escape_for_message(text) + "'");
}

Json json_of(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json measures_json(const Named& measures) {
    Json object = Json::object();
    for (const auto& [name, value] : measures) object[name] = json_of(value);
    return object;
}

std::string video_event(const std::string& file, const VideoScores& video, const std::string& id_pack) {
    const metrics::ClipScores& scores = video.scores;
    Json event = {{"event", "video"},          {"file", file},
                  {"width", video.info.width}, {"height", video.info.height},
                  {"frames", scores.frames},   {"sampled_frames", scores.sampled},
                  {"recognizer", id_pack}};
    event.update(measures_json(metrics::named_scores(scores)));
    event["dynamic"] = scores.dynamic.dynamic;
    event["moving_pairs"] = scores.dynamic.moving_pairs;
    event["dynamic_frames"] = scores.dynamic.frames;
    event["arc_sim"] = metrics::is_arcface_space(id_pack) ? json_of(scores.reference_similarity) : Json(nullptr);
    Json similarities = Json::array();
    for (const auto& value : scores.similarities) similarities.push_back(json_of(value));
    event["similarities"] = similarities;
    return event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string done_event_of(const std::vector<metrics::ClipScores>& videos, const std::string& id_pack) {
    const Json event = {{"event", "done"},
                        {"videos", videos.size()},
                        {"recognizer", id_pack},
                        {"mean", measures_json(metrics::mean_scores(videos))}};
    return event.dump() + "\n";
}

constexpr int kColumn = 10;
const std::vector<std::pair<std::string, std::string>>& columns() {
    static const std::vector<std::pair<std::string, std::string>> all{
        {"id_sim", "ID sim"},     {"decay", "decay"},           {"rs", "RS"},
        {"ifs", "IFS"},           {"fm_ref", "FM ref"},         {"fm_inter", "FM inter"},
        {"fm_dense", "FM dense"}, {"missing_faces", "no face"}, {"dynamic", "dynamic"}};
    return all;
}

std::string cell(const std::string& text) {
    return std::string(text.size() < kColumn ? kColumn - text.size() : 1, ' ') + text;
}

std::string header_row() {
    std::string row;
    for (const auto& [name, title] : columns()) row += cell(title);
    return row + "  video";
}

std::string table_row(const Named& measures, const std::string& title) {
    std::string row;
    for (const auto& [wanted, heading] : columns()) {
        std::string text = "-";
        for (const auto& [name, value] : measures) {
            if (name != wanted || !value) continue;
            std::array<char, 32> number{};
            std::snprintf(number.data(), number.size(), "%.4f", *value);
            text = number.data();
        }
        row += cell(text);
    }
    return row + "  " + title;
}

FrameProgress progress_of(Console& console, bool json) {
    return [&console, json](std::int64_t frames, std::int64_t of_frames) {
        if (!json) return;
        Json event = {{"event", "progress"}, {"stage", "observe"}, {"step", frames}};
        if (of_frames > 0) event["steps"] = of_frames;
        console.event(event.dump() + "\n");
    };
}

std::vector<ReferencePhoto> photos_of(const EvaluateOptions& options) {
    std::vector<ReferencePhoto> photos;
    for (const std::string& file : options.references) photos.push_back({file, options.face});
    return photos;
}

struct Failed {
    std::string file;
    Error error;
};

void run_evaluate(const EvaluateOptions& options, Invocation& invocation) {
    invocation.json = options.json;
    Console& console = invocation.console;
    const auto model = model_folder(options.model);
    const auto reader = face::make_face_reader();
    const auto embedder = metrics::make_face_embedder(model, options.device, *reader);
    const auto references = metrics::observe_references(*reader, *embedder, photos_of(options));
    metrics::ClipObserver observer(face::make_face_detectors(), *embedder, references);
    std::vector<metrics::ClipScores> measured;
    std::optional<Failed> first;
    int failures = 0;
    for (const std::string& file : options.videos) {
        const auto video = evaluate_video(file, references, observer, options.scores,
                                          progress_of(console, options.json), invocation.stop);
        if (!video && video.error().code == ErrorCode::Cancelled) throw EngineError(video.error());
        if (!video) {
            if (++failures == 1) first = Failed{file, video.error()};
            // The last word is one sentence for all of them.
            if (options.videos.size() > 1 && options.json) console.event(warning_event(video.error().detail));
            if (options.videos.size() > 1 && !options.json) console.print_line(video.error().detail);
            continue;
        }
        if (options.json) {
            console.event(video_event(file, video.value(), embedder->id_pack()));
        } else {
            if (measured.empty()) console.print_line(header_row());
            console.print_line(table_row(metrics::named_scores(video.value().scores), escape_for_message(file, 160)));
        }
        measured.push_back(video.value().scores);
    }
    if (!options.json && measured.size() > 1)
        console.print_line(
            table_row(metrics::mean_scores(measured), "mean of " + std::to_string(measured.size()) + " videos"));
    if (failures > 1)
        throw EngineError(first->error.code, "Cannot measure " + path_for_message(first->file) + " and " +
                                                 std::to_string(failures - 1) + " more of " +
                                                 std::to_string(options.videos.size()) +
                                                 " videos; why is said of each above.");
    if (first) throw EngineError(first->error);
    if (options.json) console.event(done_event_of(measured, embedder->id_pack()));
    if (!options.json) console.print_line("Faces compared with the recogniser " + embedder->id_pack() + ".");
}

void add_measuring(CLI::App& command, EvaluateOptions& options) {
    add_value(command, "--samples", "Frames for similarity and decay, evenly spaced, or all (16)",
              [&options](const std::string& text) { options.scores.samples = samples_value("--samples", text); });
    add_value(
        command, "--fm-sampling", "Frames for the motion of the landmarks, or all (16)",
        [&options](const std::string& text) { options.scores.motion_samples = samples_value("--fm-sampling", text); });
    add_value(command, "--fm-inter-reduce", "max, mean or sum of the movements between sampled frames (max)",
              [&options](const std::string& text) {
                  options.scores.motion.inter_reduce = static_cast<metrics::InterReduce>(
                      choice_value("--fm-inter-reduce", text, {"max", "mean", "sum"}));
              });
    add_value(command, "--fm-norm", "box or interocular: what a face is measured in against the reference (box)",
              [&options](const std::string& text) {
                  options.scores.motion.unit =
                      static_cast<metrics::FaceUnit>(choice_value("--fm-norm", text, {"box", "interocular"}));
              });
}

}  // namespace

void add_evaluate_command(CLI::App& program, Action& chosen) {
    CLI::App* command = program.add_subcommand("evaluate", "Measure how well videos keep a person");
    command->footer(
        "Similarities are cosines in the space of the model's own recogniser, or of an installed one if the model has "
        "none; the last line names it. Those of different recognisers cannot be compared, nor with published figures "
        "that were made with another one. 'dynamic' follows VBench's rule with Farneback's flow in the place of the "
        "network RAFT.");
    const auto options = std::make_shared<EvaluateOptions>();
    command->add_option("video", options->videos, "Videos of the person")->required();
    add_values(*command, "--reference", "A photograph of the person; give it again for more", options->references)
        ->required();
    add_value(*command, "--face", "Which face of the photographs, counted from 1", [options](const std::string& text) {
        options->face = static_cast<int>(integer_value("--face", text, 1, kMostFaces));
    });
    add_value(*command, "--model", "A checkpoint folder, for its recogniser",
              [options](const std::string& text) { options->model = text; });
    add_value(*command, "--device", "cpu, cuda or cuda:N (cpu)",
              [options](const std::string& text) { options->device = device_value("--device", text); });
    add_measuring(*command, *options);
    add_switch(*command, "--json", "One JSON object a video", options->json);
    command->callback(
        [options, &chosen] { chosen = [options](Invocation& invocation) { run_evaluate(*options, invocation); }; });
}

}  // namespace mirror::cli
