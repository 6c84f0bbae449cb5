/** After a death of the worker, calls begin one after the other, and the row says whose began last. Never edited once landed. */
export const blame = String.raw`
alter table worker_lease add column begun_order uuid;
-- Whether blamed_order was the one that had begun last, or only the one that moved last.
alter table worker_lease add column blame_is_sure boolean not null default false;
`
