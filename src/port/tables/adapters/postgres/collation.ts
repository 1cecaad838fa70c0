import {
  type DataTypeNode,
  type KyselyPlugin,
  OperationNodeTransformer,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  RawNode,
} from 'kysely'

class TextInOctetOrder extends OperationNodeTransformer {
  protected override transformDataType(node: DataTypeNode): DataTypeNode {
    // Where a type stands, raw SQL may stand too; the transformer's signature knows only one of the two.
    return (node.dataType === 'text' ? RawNode.createWithSql('text collate "C"') : node) as DataTypeNode
  }
}

/**
 * Makes columns of text compare by their octets, as SQLite does, whatever the language of the database is: pages and lists are in that
 * order, and an index serves them.
 */
export const textInOctetOrder: KyselyPlugin = {
  transformQuery: ({ node, queryId }: PluginTransformQueryArgs) => new TextInOctetOrder().transformNode(node, queryId),
  transformResult: async ({ result }: PluginTransformResultArgs) => result,
}
