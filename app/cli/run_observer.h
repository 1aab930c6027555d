#pragma once

// Shows a run: events or a bar, warnings, previews as files.

#include <filesystem>
#include <string>
#include <vector>

#include "app/cli/command.h"
#include "engine/core/progress.h"
#include "engine/session/session.h"

namespace mirror::cli {

enum class Report { Text, Json };

struct PreviewFolder {
    std::filesystem::path folder;              // Empty: no previews are made.
    std::vector<std::filesystem::path> files;  // Of the run: none of them is written over.
};

Observer make_observer(Invocation& invocation, Report report, const PreviewFolder& previews);

struct FinishedRun {
    std::filesystem::path output;
    std::string description;  // "17 frames, 192x128"
    engine::GenerationReport report;
};

// The done event, or where the time went and what was written.
void report_done(Invocation& invocation, Report report, const FinishedRun& run);

}  // namespace mirror::cli
