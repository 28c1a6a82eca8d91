/** A file of a report: its text, or why it cannot be shown. */
export type ReportFile = { readonly text: string } | { readonly problem: "unreadable" | "too long" };
export type Report = Readonly<Record<string, ReportFile | undefined>>;

export const BYTES: number;
export const FILES: readonly string[];
export const MARKER: string;
/** Markdown that nobody vouches for, as Markdown that formats and does nothing else. */
export function harmless(markdown: string, host?: string): string;
export function readReport(folder: string): Report;
/** A whole comment, under a heading that is vouched for. */
export function commentText(heading: string, report: Report, host: string): string;
