#pragma once

// Shots one after the other, joined by hard cuts into one video. Works on any Session; one that keeps its models loads
// them, and reads each person, once. Names no torch type.

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/project.h"
#include "engine/core/request.h"
#include "engine/core/video_sink.h"
#include "engine/session/session.h"

namespace mirror::engine {

struct Story {
    std::string title;
    std::vector<GenerationRequest> shots;  // Of one size and one rate.
};

// The shot's number from 1, and what it tells; `seconds_left` of progress is that of the whole story.
using StoryObserver = std::function<void(int shot, const ProgressEvent&)>;

// A sink for the shot of this number (from 1) alone, beside the whole video; null for none.
using TakeSinks = std::function<std::unique_ptr<VideoSink>(int shot)>;

struct StoryOptions {
    StoryObserver tell;
    int preview_every_steps = 0;
    TakeSinks takes;
};

struct StoryReport {
    std::vector<GenerationReport> shots;
    int frames = 0;
};

// Whether a file of the project, named relative to its folder, is there to be read.
using FileCheck = std::function<Status(const std::filesystem::path& file)>;

// Every shot of a project, `model_defaults` being what the project does not say. Its reference files are opened here:
// none may lead out of `folder`. Errors: InvalidRequest, MissingFile.
Result<Story> story_of(const Project& project, const std::filesystem::path& folder,
                       const GenerationRequest& model_defaults);
// The same for a project whose files are not in a folder; `place` is what goes before their names.
Result<Story> story_of(const Project& project, const std::filesystem::path& place,
                       const GenerationRequest& model_defaults, const FileCheck& check);

// Ranges, one size, one rate, at least one shot. The message begins with the shot.
Status check_story(const Story& story);

// The recipe of the whole video: {"kind": "story", "shots": [requests], "title", "version"}, keys sorted.
std::string story_to_json(const Story& story);

// Every shot is prepared before the first one is made. The video is finished after its last shot; a failure or a stop
// leaves none, and the shots' latents where Session::generate() keeps them. The message of an error begins with the
// shot and says where the finished ones are.
Result<StoryReport> tell_story(Session& session, const Story& story, VideoSink& sink, const StoryOptions& options,
                               std::stop_token stop);

}  // namespace mirror::engine
