// Questions with options (AskUserQuestion), read from an input that anybody may have made.

/** The questions of an input: `[{text, header, several, options: [{label, description}]}]`; null for another shape. */
export function questionsOf(input) {
  const list = input?.questions;
  if (!Array.isArray(list) || list.length === 0 || list.length > 20) return null;
  const questions = [];
  for (const item of list) {
    if (typeof item?.question !== 'string' || !Array.isArray(item.options) || item.options.length > 50) return null;
    if (questions.some(({ text }) => text === item.question)) return null;
    const options = [];
    for (const option of item.options) {
      const label = typeof option === 'string' ? option : option?.label;
      if (typeof label !== 'string') return null;
      options.push({ label, description: typeof option.description === 'string' ? option.description : '' });
    }
    questions.push({
      text: item.question, header: typeof item.header === 'string' ? item.header : '', several: item.multiSelect === true,
      options,
    });
  }
  return questions;
}

/** One answer, of the labels that were chosen and what was written beside them; empty for none. */
export function answerText(labels, other) {
  return [...labels, ...(other.trim() ? [other.trim()] : [])].join(', ');
}

/** What an answer that is remembered allows from then on, as rules to be read. */
export function rememberedRules({ tool_name: tool, tool_input: input, suggestions }) {
  const rules = [];
  for (const change of Array.isArray(suggestions) ? suggestions : []) {
    if (change?.type === 'addRules' && change.behavior === 'allow') {
      for (const { toolName, ruleContent } of change.rules ?? []) rules.push(ruleContent ? `${toolName}(${ruleContent})` : `${toolName}`);
    }
    if (change?.type === 'addDirectories') for (const directory of change.directories ?? []) rules.push(`files in ${directory}`);
  }
  if (rules.length) return rules;
  return [typeof input?.command === 'string' ? `${tool}(${input.command})` : `${tool}`];
}
