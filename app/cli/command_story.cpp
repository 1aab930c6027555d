// story: the shots of a project, one after the other, as one video.

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>

#include "app/cli/command.h"
#include "app/cli/generation_options.h"
#include "app/cli/opened_project.h"
#include "app/cli/option_values.h"
#include "app/cli/run_observer.h"
#include "engine/core/durable_replace.h"
#include "engine/core/utf8.h"
#include "engine/media/mp4_sink.h"
#include "engine/session/output_rules.h"
#include "engine/session/session.h"
#include "engine/session/story.h"

namespace mirror::cli {

namespace {

struct StoryCommand {
    std::string project;
    std::string takes;                // A folder; empty: no file a shot.
    std::optional<std::string> pack;  // A file: the project goes there, and no video is made.
    GenerationOptions options;
};

// shot-02.mp4
std::filesystem::path take_file(const std::string& folder, int shot) {
    std::array<char, 32> name{};
    std::snprintf(name.data(), name.size(), "shot-%02d.mp4", shot);
    return std::filesystem::path(folder) / name.data();
}

void check_lengths(const engine::Story& story, const engine::ModelInfo& model) {
    for (std::size_t i = 0; i < story.shots.size(); ++i) {
        const int frames = story.shots[i].video.frames;
        if (frames > 1 && frames % model.frames_step != 1)
            throw EngineError(ErrorCode::InvalidRequest, "shot " + std::to_string(i + 1) + ": this model wants " +
                                                             std::to_string(model.frames_step) + "N+1 frames, not " +
                                                             std::to_string(frames));
    }
}

engine::Story read_story(const StoryCommand& command, const OpenedProject& project,
                         const std::filesystem::path& model) {
    const auto info = value_or_throw(engine::read_model_info(model));
    engine::Story story = project.story(model_defaults(command.options, model, info));
    for (GenerationRequest& shot : story.shots) override_shot(command.options, shot);
    check_lengths(story, info);
    value_or_throw(engine::check_story(story));
    return story;
}

// No output may be a file that the run reads, nor another output.
void check_outputs(const StoryCommand& command, const OpenedProject& project, const engine::Story& story) {
    const GenerationRequest& first = story.shots.front();
    std::vector<std::filesystem::path> inputs = engine::files_of_model(first.model);
    if (!first.adapter.empty())
        for (const auto& file : engine::files_of_adapter(first.adapter)) inputs.push_back(file);
    for (const auto& file : project.files(story)) inputs.push_back(file);
    value_or_throw(engine::check_output(command.options.output, inputs));
    if (command.takes.empty()) return;
    value_or_throw(make_folders(command.takes));
    for (int shot = 1; shot <= static_cast<int>(story.shots.size()); ++shot) {
        const auto take = take_file(command.takes, shot);
        value_or_throw(engine::check_output(take, inputs));
        if (engine::place_of(take) == engine::place_of(command.options.output))
            throw UsageError("--takes and --output name the same file");
    }
}

// What several shots have to say alike is said once.
engine::StoryObserver make_story_observer(Invocation& invocation, Report report, int shots) {
    return [&console = invocation.console, report, shots, said = std::set<std::string>()](
               int shot, const ProgressEvent& event) mutable {
        const ShotNumber of{shot, shots};
        if (const auto* progress = std::get_if<Progress>(&event)) {
            if (report == Report::Json)
                console.event(progress_event(*progress, of));
            else
                console.show_progress(*progress, of);
        } else if (const auto* notice = std::get_if<Notice>(&event)) {
            if (report == Report::Json) console.event(warning_event(notice->detail));
            if (said.insert(notice->detail).second)
                console.warn("shot " + std::to_string(shot) + ": " + notice->detail);
        }
    };
}

// The times of all shots, stage by stage.
engine::GenerationReport together(const engine::StoryReport& story) {
    engine::GenerationReport all;
    for (const engine::GenerationReport& shot : story.shots) {
        all.random_weights |= shot.random_weights;
        for (const engine::StageTime& time : shot.times) {
            const auto same = std::find_if(all.times.begin(), all.times.end(),
                                           [&](const engine::StageTime& known) { return known.stage == time.stage; });
            if (same == all.times.end())
                all.times.push_back(time);
            else
                same->seconds += time.seconds;
        }
    }
    return all;
}

std::string description_of(const engine::StoryReport& report, const VideoSpec& video) {
    const std::size_t shots = report.shots.size();
    return std::to_string(shots) + (shots == 1 ? " shot, " : " shots, ") + std::to_string(report.frames) + " frames, " +
           std::to_string(video.width) + "x" + std::to_string(video.height);
}

void run_story(const StoryCommand& command, Invocation& invocation) {
    invocation.json = command.options.json;
    const Report report = command.options.json ? Report::Json : Report::Text;
    check_output_name(command.options.output, OutputKind::Video);
    const std::filesystem::path model = model_folder(command.options.model);
    const OpenedProject project = OpenedProject::open(command.project, invocation.stop);
    const engine::Story story = read_story(command, project, model);
    check_outputs(command, project, story);

    engine::StoryOptions options;
    options.tell = make_story_observer(invocation, report, static_cast<int>(story.shots.size()));
    if (!command.takes.empty())
        options.takes = [&](int shot) { return media::make_mp4_sink(take_file(command.takes, shot)); };
    const auto session = engine::open_session(project.face_reader(), engine::Models::Keep);
    const auto sink = media::make_mp4_sink(command.options.output);
    const auto finished = value_or_throw(engine::tell_story(*session, story, *sink, options, invocation.stop));
    report_done(invocation, report,
                {command.options.output, description_of(finished, story.shots.front().video), together(finished)});
}

void run_pack(const StoryCommand& command, Invocation& invocation) {
    invocation.json = command.options.json;
    pack_project(command.project, *command.pack, invocation.stop);
    if (command.options.json)
        invocation.console.event(done_event(*command.pack));
    else
        invocation.console.print_line("Wrote " + escape_for_message(*command.pack, 4096) + ".");
}

std::string pack_value(const std::string& text) {
    const std::string extension = std::filesystem::path(text).extension().string();
    if (!extension.empty() && extension != ".mirror" && extension != ".zip")
        throw UsageError("--pack wants a name that ends in .mirror or .zip, not '" + escape_for_message(text) + "'");
    return text;
}

// There is no video then, and nothing to say of how it is made.
void check_pack_alone(const CLI::App& command) {
    for (const CLI::Option* option : command.get_options()) {
        const std::string name = option->get_name();
        if (option->count() > 0 && !option->get_positional() && name != "--pack" && name != "--json")
            throw UsageError("--pack makes no video and does not go together with " + name);
    }
}

void add_pack(CLI::App& command, const std::shared_ptr<StoryCommand>& story) {
    add_value(command, "--pack", "Make no video: put the project's folder into this one file (ZIP)",
              [story](const std::string& text) { story->pack = pack_value(text); });
    CLI::Option* output = command.get_option("--output");
    output->required(false);
    command.parse_complete_callback([&command, story, output] {
        if (story->pack) check_pack_alone(command);
        if (!story->pack && output->count() == 0) throw CLI::RequiredError(output->get_name());
    });
}

}  // namespace

void add_story_command(CLI::App& program, Action& chosen) {
    CLI::App* command = program.add_subcommand("story", "Make the shots of a project, joined into one video");
    const auto story = std::make_shared<StoryCommand>();
    command->add_option("project", story->project, "The project, NAME.mirror: a folder, or packed")->required();
    add_value(*command, "--takes", "A folder for every shot as a video of its own",
              [story](const std::string& text) { story->takes = text; });
    add_story_options(*command, story->options);
    add_pack(*command, story);
    command->callback([story, &chosen] {
        chosen = [story](Invocation& invocation) {
            story->pack ? run_pack(*story, invocation) : run_story(*story, invocation);
        };
    });
}

}  // namespace mirror::cli
