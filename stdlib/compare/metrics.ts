// What a comparison before a judge is measured by; apart from the code that measures, which a check need not load.
export const duelMetrics = {
  win_rate: "share of prompts won, a tie counts half",
  win_rate_low: "lower end of its bootstrap interval",
  win_rate_high: "upper end of its bootstrap interval",
  wilson_low: "lower end of its Wilson interval",
  wilson_high: "upper end of its Wilson interval",
  length_controlled_win_rate:
    "the win rate were all responses as long as the baseline's (Dubois et al. 2024)",
  longest_win_rate: "the win rate that a judge would give who prefers the longer text",
  prefers_longer: "share of decided prompts where the judge preferred the longer text",
  position_consistency: "share of prompts where both orders gave the same verdict; of judges that see both",
  prefers_first: "share of decided verdicts for the text shown first; of judges that see both",
  malformed: "prompts without a verdict that could be read",
} as const;
