#include "ui/shot/prompt_marks.h"

#include <algorithm>
#include <array>
#include <vector>

namespace mirror::ui {

namespace {

constexpr QStringView kTrigger = u"img";
constexpr std::array<QStringView, 22> kClassWords{
    u"man",   u"woman",     u"boy",    u"girl",   u"baby",   u"person",  u"child",     u"kid",
    u"lady",  u"gentleman", u"guy",    u"male",   u"female", u"officer", u"policeman", u"policewoman",
    u"actor", u"actress",   u"dancer", u"doctor", u"nurse",  u"teacher"};

bool isWordCharacter(QChar c) { return c.isLetterOrNumber() || c == u'_' || c.isSurrogate(); }

// Runs of characters that `belongs` accepts.
template <typename Accept>
std::vector<TextSpan> runs(QStringView text, Accept belongs) {
    std::vector<TextSpan> found;
    for (int i = 0; i < text.size(); ++i) {
        if (!belongs(text[i])) continue;
        if (found.empty() || found.back().start + found.back().length != i) found.push_back({i, 0});
        ++found.back().length;
    }
    return found;
}

PromptMarks markWithoutTrigger(QStringView prompt) {
    for (const TextSpan& run : runs(prompt, [](QChar c) { return c.isLetter(); })) {
        const QStringView word = prompt.mid(run.start, run.length);
        const bool named = std::any_of(kClassWords.begin(), kClassWords.end(),
                                       [&](QStringView w) { return w.compare(word, Qt::CaseInsensitive) == 0; });
        if (named) return {{}, run, PromptFlaw::None};
    }
    return {{}, {}, PromptFlaw::NoClassWord};
}

}  // namespace

PromptMarks markPrompt(QStringView prompt) {
    const auto words = runs(prompt, isWordCharacter);
    const auto isTrigger = [&](const TextSpan& w) { return prompt.mid(w.start, w.length) == kTrigger; };
    const auto first = std::find_if(words.begin(), words.end(), isTrigger);
    if (first == words.end()) return markWithoutTrigger(prompt);
    PromptMarks marks{*first, {}, PromptFlaw::None};
    if (first != words.begin()) {
        const TextSpan before = *(first - 1);
        const int end = before.start + before.length;
        if (prompt.mid(end, first->start - end).trimmed().isEmpty()) marks.classWord = before;
    }
    if (std::count_if(words.begin(), words.end(), isTrigger) > 1) {
        marks.flaw = PromptFlaw::TwoTriggers;
    } else if (!marks.classWord) {
        marks.flaw = PromptFlaw::TriggerWithoutClassWord;
    }
    return marks;
}

}  // namespace mirror::ui
