// Makes the proof of the built-in model: whether clips show the person of the reference, do what the prompt says, and
// move, as a judge sees it that was trained apart.
//
//   mirror_proof MODEL JUDGE OUT [--clips N] [--steps N] [--guidance G] [--references N] [--device D]
//
// Every clip is kept in OUT/clips, so that a run that was cut goes on where it was. Writes OUT/proof.json, proof.csv
// and proof.md, each time a group is done. --clips N: a quick look at the first N of each group.

#include <charconv>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/durable_replace.h"
#include "engine/core/limits.h"
#include "engine/core/result.h"
#include "engine/face/face_reader.h"
#include "engine/face/photograph.h"
#include "engine/formats/sha256.h"
#include "engine/session/model_folder.h"
#include "engine/session/model_info.h"
#include "engine/training/judge.h"
#include "engine/weights/mapped_file.h"
#include "engine/weights/weight_store.h"
#include "tests/proof/clip_maker.h"
#include "tests/proof/proof_plan.h"
#include "tests/proof/proof_report.h"
#include "tests/proof/proof_scores.h"

namespace {

using namespace mirror;
using namespace mirror::proof;
namespace fs = std::filesystem;

constexpr const char* kUsage =
    "mirror_proof MODEL JUDGE OUT [--clips N] [--steps N] [--guidance G] [--references N] [--device D]\n";

struct Arguments {
    fs::path model, judge, out;
    std::optional<int> clips;
    int steps = 20;
    double guidance = 3.0;
    int references = 1;
    std::string device = "cpu";
};

template <typename Number>
bool read_number(const std::string& text, Number& number) {
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    return read.ec == std::errc() && read.ptr == end;
}

bool read_option(const std::string& name, const std::string& value, Arguments& arguments) {
    if (name == "--clips") return read_number(value, arguments.clips.emplace());
    if (name == "--steps") return read_number(value, arguments.steps);
    if (name == "--guidance") return read_number(value, arguments.guidance);
    if (name == "--references") return read_number(value, arguments.references);
    if (name != "--device") return false;
    arguments.device = value;
    return true;
}

std::optional<Arguments> read_arguments(const std::vector<std::string>& words) {
    Arguments arguments;
    std::vector<std::string> folders;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (!words[i].starts_with("--")) {
            folders.push_back(words[i]);
            continue;
        }
        if (i + 1 == words.size() || !read_option(words[i], words[i + 1], arguments)) return std::nullopt;
        ++i;
    }
    if (folders.size() != 3) return std::nullopt;
    arguments.model = folders[0];
    arguments.judge = folders[1];
    arguments.out = folders[2];
    return arguments;
}

std::string text_of(const fs::path& file) {
    return value_or_throw(engine::read_whole_file(file, limits::kConfigBytes));
}

// What the clips of a folder depend on; clips of another model or other settings are not taken for these.
std::string fingerprint_of(const Arguments& arguments, const VideoSpec& video, const SamplingSpec& sampling) {
    const engine::ModelFolder folder(arguments.model, {}, engine::WeightCheck::None);
    std::ostringstream text;
    for (const char* part : {"transformer", "text_encoder", "vae", "image_encoder", "id_perceiver", "recognizer"}) {
        if (folder.has(part)) text << part << " " << folder.store(part)->fingerprint() << "\n";
    }
    const fs::path adapter = value_or_throw(engine::find_adapter(arguments.model, {}));
    text << "adapter " << engine::WeightStore::open(adapter, "adapter")->fingerprint() << "\n";
    for (const char* file : {"scheduler/scheduler_config.json", "vae/config.json"})
        text << file << " " << formats::sha256_hex(text_of(arguments.model / file)) << "\n";
    text << "sampler " << static_cast<int>(sampling.sampler) << " dynamic guidance "
         << static_cast<int>(sampling.dynamic_guidance) << " steps " << sampling.steps << " guidance "
         << sampling.guidance << " references " << arguments.references << "\n"
         << video.width << "x" << video.height << ", " << video.frames << " frames, " << video.rate.numerator << "/"
         << video.rate.denominator << " a second\n";
    return text.str();
}

void claim_folder(const Arguments& arguments, const VideoSpec& video, const SamplingSpec& sampling) {
    const fs::path file = arguments.out / "made_by.txt";
    value_or_throw(make_folders(arguments.out));
    const std::string fingerprint = fingerprint_of(arguments, video, sampling);
    if (!fs::exists(file)) return static_cast<void>(value_or_throw(durable_replace(file, fingerprint)));
    if (text_of(file) != fingerprint)
        throw EngineError(ErrorCode::InvalidRequest,
                          "The folder " + arguments.out.string() +
                              " holds clips of another model or of other settings; choose another folder.");
}

std::vector<Frame> pictures_of(const std::vector<fs::path>& files) {
    std::vector<Frame> pictures;
    for (const fs::path& file : files) pictures.push_back(value_or_throw(face::read_photograph(file)));
    return pictures;
}

void write_report(const fs::path& folder, const ProofFacts& facts, const std::vector<JudgedClip>& clips) {
    value_or_throw(durable_replace(folder / "proof.csv", clips_csv(clips)));
    value_or_throw(durable_replace(folder / "proof.json", report_json(facts, clips)));
    value_or_throw(durable_replace(folder / "proof.md", report_markdown(facts, clips)));
}

void tell(const JudgedClip& clip, std::size_t number, std::size_t count) {
    std::cout << number << "/" << count << " " << clip.plan.group << " " << clip.plan.name
              << (clip.is_identified() ? " person" : " -") << (clip.has_action() ? " action" : " -")
              << (clip.has_place() ? " place" : " -") << " | " << clip.plan.prompt << std::endl;
}

void prove(const Arguments& arguments) {
    const auto info = value_or_throw(engine::read_model_info(arguments.model));
    SamplingSpec sampling;
    sampling.sampler = info.sampler;
    sampling.dynamic_guidance = info.dynamic_guidance;
    sampling.steps = arguments.steps;
    sampling.guidance = arguments.guidance;
    claim_folder(arguments, info.video, sampling);
    ClipMaker maker(
        {arguments.model, arguments.out / "clips", info.video, sampling, arguments.device, arguments.references});
    const auto reader = face::make_face_reader();
    const auto embedder = metrics::make_face_embedder(arguments.model, arguments.device, *reader);
    ClipJudge judge(engine::training::Judge::open(arguments.judge), *embedder);

    const std::vector<ProofClip> plan = proof_plan({info.video, arguments.clips});
    ProofFacts facts{arguments.model.filename().string(),
                     arguments.judge.filename().string(),
                     info.video,
                     sampling,
                     arguments.references,
                     0,
                     false,
                     info.random_weights};
    std::vector<JudgedClip> clips;
    for (std::size_t i = 0; i < plan.size(); ++i) {
        const auto frames = maker.frames_of(plan[i]);
        clips.push_back(judge.judged(plan[i], frames, pictures_of(maker.portraits_of(plan[i].person))));
        tell(clips.back(), i + 1, plan.size());
        facts.portraits_tried = maker.portraits_tried();
        facts.complete = i + 1 == plan.size() && !arguments.clips;
        if (i + 1 == plan.size() || plan[i + 1].group != plan[i].group) write_report(arguments.out, facts, clips);
    }
    std::cout << "Wrote " << (arguments.out / "proof.md").string() << "." << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const auto arguments = read_arguments(std::vector<std::string>(argv + 1, argv + argc));
        if (!arguments) {
            std::cerr << kUsage;
            return 2;
        }
        prove(*arguments);
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
    return 0;
}
