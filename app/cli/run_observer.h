#pragma once

// Shows a run: events or a bar, warnings, previews as files.

#include <filesystem>

#include "app/cli/command.h"
#include "engine/core/progress.h"
#include "engine/session/session.h"

namespace mirror::cli {

enum class Report { Text, Json };

// `preview_folder` may be empty: no previews are made then.
Observer make_observer(Invocation& invocation, Report report, const std::filesystem::path& preview_folder);

struct FinishedRun {
    std::filesystem::path output;
    std::string description;  // "17 frames, 192x128"
    engine::GenerationReport report;
};

// The done event, or where the time went and what was written.
void report_done(Invocation& invocation, Report report, const FinishedRun& run);

}  // namespace mirror::cli
