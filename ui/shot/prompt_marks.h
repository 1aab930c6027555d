#pragma once

// Where the trigger and the class word stand in a prompt, by the rules of the trigger protocol. Used for marking and
// for advice.

#include <QString>
#include <QStringView>
#include <optional>

namespace mirror::ui {

struct TextSpan {
    int start = 0;
    int length = 0;
    friend bool operator==(const TextSpan&, const TextSpan&) = default;
};

enum class PromptFlaw { None, TwoTriggers, TriggerWithoutClassWord, NoClassWord };

struct PromptMarks {
    std::optional<TextSpan> trigger;
    std::optional<TextSpan> classWord;
    PromptFlaw flaw = PromptFlaw::None;
};

// The trigger is `img` between characters that belong to no word; the class word is the word right before it. Without a
// trigger the first word that names a person counts.
PromptMarks markPrompt(QStringView prompt);

}  // namespace mirror::ui
