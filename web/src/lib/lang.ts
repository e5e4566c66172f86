/** The language of the page, as the server rendered it. */
export const chinese = !document.documentElement.lang.startsWith("en");

/** The Chinese or the English text. */
export function pick(zh: string, en: string): string {
  return chinese ? zh : en;
}
